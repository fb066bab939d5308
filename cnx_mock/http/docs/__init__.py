"""The page at `/docs`, where the OpenAPI document can be read and tried. It works offline: every file is served here.

swagger-ui is vendored in `static/swagger-ui/`; VENDORED.md there says which release, and how to take a newer one.
Here is what a server must know of the page before anybody asks for it; `files` serves it.
"""

from pathlib import Path

PATH = "/docs"

STATIC = Path(__file__).parent / "static"
"""The folder of the files."""

FILES = {
    "": "index.html",
    "/": "index.html",
    "/init.js": "init.js",
    "/page.css": "page.css",
    "/favicon.svg": "favicon.svg",
    "/swagger-ui/swagger-ui-bundle.js": "swagger-ui/swagger-ui-bundle.js",
    "/swagger-ui/swagger-ui.css": "swagger-ui/swagger-ui.css",
    "/swagger-ui/swagger-ui-bundle.js.LICENSE.txt": "swagger-ui/swagger-ui-bundle.js.LICENSE.txt",
    "/swagger-ui/LICENSE": "swagger-ui/LICENSE",
    "/swagger-ui/NOTICE": "swagger-ui/NOTICE",
}
"""Everything that is served: the path below `/docs`, and the file."""

PATHS = [PATH + below for below in FILES]
"""The path of each file."""
