"""The page at `/docs`, where the OpenAPI document can be read and tried. It works offline: every file is served here.

swagger-ui is vendored in `static/swagger-ui/`; VENDORED.md there says which release, and how to take a newer one.
Here is what a server must know of the page before anybody asks for it; `files` serves it.
"""

from pathlib import Path

PATH = "/docs"

STATIC = Path(__file__).parent / "static"
"""The folder of the files."""

_JS, _CSS, _TEXT = "text/javascript", "text/css", "text/plain"
FILES = {
    "": ("index.html", "text/html"),
    "/": ("index.html", "text/html"),
    "/init.js": ("init.js", _JS),
    "/page.css": ("page.css", _CSS),
    "/favicon.svg": ("favicon.svg", "image/svg+xml"),
    "/swagger-ui/swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", _JS),
    "/swagger-ui/swagger-ui.css": ("swagger-ui/swagger-ui.css", _CSS),
    "/swagger-ui/swagger-ui-bundle.js.LICENSE.txt": ("swagger-ui/swagger-ui-bundle.js.LICENSE.txt", _TEXT),
    "/swagger-ui/LICENSE": ("swagger-ui/LICENSE", _TEXT),
    "/swagger-ui/NOTICE": ("swagger-ui/NOTICE", _TEXT),
}
"""Everything that is served: path below `/docs`, file, media type."""

PATHS = [PATH + below for below in FILES]
"""The path of each file."""
