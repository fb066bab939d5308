"""The nginx configuration that sends each test key to one of several servers.

Each directive keeps one promise of the mock: a key has one world, a call arrives unchanged, and a fault reaches the
client if nginx can forward it. The comments in the file say which.
"""

from collections.abc import Sequence
from string import Template

from cnx_mock.net.addresses import KEY_REQUIRED


class _ConfigTemplate(Template):
    """A text with `@{name}` where a value belongs: nginx uses the dollar sign itself."""

    delimiter = "@"


_CONFIG = _ConfigTemplate(
    """\
# Several cnx-mock servers as one: @{command}
#
# Start one server for each of these URLs, then nginx, with this file as nginx.conf in the current folder:
#
#   mkdir -p nginx && nginx -p "$PWD/nginx" -c "$PWD/nginx.conf" -e stderr -g 'daemon off;'
#
# Each key has its world in one server, the one that its hash names. Calls without a key all go to one server: ask the
# others about themselves (/_mock/health, the list of sandboxes, a reset of everything) at their own URLs. A load
# balancer can check the health of each server at its /_mock/health:
#
#@{health}
#
# If a fixture lists several keys of one account, each has a hash of its own: give the client one of them.

worker_processes auto;
worker_rlimit_nofile 20000;
pid nginx.pid;
error_log stderr warn;

events {
    worker_connections 8192;
}

http {
    access_log off;  # each server writes its own lines
    default_type application/json;

    # Below the folder of `-p`, so that nginx needs no root.
    client_body_temp_path client_body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;

    # The key in the Authorization header. `Bearer` may be spelt in any case, and have several spaces behind it.
    map $http_authorization $cnx_key {
        default $http_authorization;
        "~*^bearer +(?<cnx_token>[^ ]+) *$" $cnx_token;
    }

    # The control plane trusts this machine, and sees nginx as its caller: so nginx asks where a caller is.
    geo $cnx_is_elsewhere {
        default 1;
@{trusted}
    }
    map $cnx_is_elsewhere$request_uri $cnx_is_refused {
        default 0;
        "~*^1/(_|%5f)(m|%6d)(o|%6f)(c|%63)(k|%6b)" 1;
    }

    # A server must not choose a key itself: nginx could send that key to another server.
    map $request_method:$cnx_key:$uri $cnx_needs_key {
        default 0;
        "POST::/_mock/sandboxes" 1;
    }

    upstream cnx_mock {
        hash $cnx_key consistent;  # another list of servers moves few keys
        # The passive check is each call's own attempt to connect. max_fails=0: a server that does not answer is asked
        # again on the next call, and never replaced by another one, in which the key's world would be empty.
@{servers}
        keepalive 64;
        keepalive_timeout 60s;  # shorter than the servers' own 75 s
        keepalive_requests 1000000;
    }

    server {
        listen @{listen};

        client_max_body_size 0;  # the servers have limits of their own
        large_client_header_buffers 8 128k;
        ignore_invalid_headers off;
        underscores_in_headers on;
        merge_slashes off;
        keepalive_timeout 75s;
        keepalive_requests 1000000;
        reset_timedout_connection on;  # `return 444` is a TCP reset

        if ($cnx_is_refused) {
            return 403 '{"error": {"code": "CONTROL_PEER_REFUSED", "message": "The control plane answers to nginx\\'s \
machine only.", "details": {"reason": "$remote_addr is another machine", "options": "cnx-mock proxy-config nginx \
--control-from $remote_addr"}, "request_id": "$request_id"}}';
        }
        if ($cnx_needs_key) {
            return 400 '{"error": {"code": "@{key_required}", "message": "Behind this proxy, a new sandbox needs a \
key.", "details": {"key": "choose one, and send it in the body and in the Authorization header"}, \
"request_id": "$request_id"}}';
        }

        location / {
            proxy_pass http://cnx_mock;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;  # /_mock answers to loopback names only, or see serve --control-host
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_buffering off;  # a slow body stays slow
            proxy_buffer_size 64k;
            proxy_buffers 8 64k;
            proxy_busy_buffers_size 128k;
            proxy_pass_header Date;
            proxy_pass_header Server;
            proxy_ignore_headers X-Accel-Buffering X-Accel-Charset X-Accel-Expires X-Accel-Limit-Rate X-Accel-Redirect;
            proxy_redirect off;

            proxy_connect_timeout 2s;
            proxy_read_timeout 1d;  # a call that hangs hangs until the client leaves
            proxy_send_timeout 1d;
            send_timeout 1d;
            client_body_timeout 1d;

            proxy_next_upstream off;  # a call is sent once, to one server
            error_page 502 504 = @no_answer;
        }

        location @no_answer {
            # The server was there, and ended the connection before its answer: so does nginx.
            if ($upstream_connect_time ~ "^[0-9]") {
                return 444;
            }
            return 502 '{"error": {"code": "SERVER_DOWN", "message": "The server of this key does not answer.", \
"details": {"server": "$upstream_addr"}, "request_id": "$request_id"}}';
        }
    }
}
""".replace("@no_answer", "@@no_answer")
)


def nginx_config(command: str, listen: str, servers: Sequence[str], control_from: Sequence[str] = ()) -> str:
    """Return a whole configuration file.

    - `command`: The command line that it is made by.
    - `listen`: Where nginx listens, as `address:port`.
    - `servers`: Each server's `host:port`.
    - `control_from`: Networks that may use the control plane, beside nginx's own machine.
    """
    return _CONFIG.substitute(
        command=command,
        listen=listen,
        key_required=KEY_REQUIRED,
        health="\n#".join(f"   http://{each}/_mock/health" for each in servers),
        servers="\n".join(f"        server {each} max_fails=0;" for each in servers),
        trusted="\n".join(f"        {each} 0;" for each in ("127.0.0.0/8", "::1/128", *control_from)),
    )
