-- wrk sends GETs unless told otherwise: this one is the documented create. The key comes from the command line (-H).
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"name":"prod-api-01","plan":"pro","region":"us-east-1","image":"ubuntu-22.04-lts","tags":["web","production"]}'
