#!/bin/sh
# A web server that tells who it is: /hostname, /version and / on $PORT; one log line a request.
set -e
PORT=${PORT:-8080}
mkdir -p /www
echo "Hostname : $(hostname)" >/www/hostname
echo "Version : ${VERSION:-v1}" >/www/version
echo "$(hostname) is running" >/www/health
echo "containerPort : $PORT" >/www/index.html
for path in customer order; do
  mkdir -p "/www/$path"
  echo "Hostname : $(hostname)" >"/www/$path/index.html"
done
echo "web ${VERSION:-v1} listens on $PORT"
exec httpd -f -vv -p "$PORT" -h /www 2>&1
