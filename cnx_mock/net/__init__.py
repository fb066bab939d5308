"""Sockets, TLS, certificates, the proxy: all that carries HTTP."""
