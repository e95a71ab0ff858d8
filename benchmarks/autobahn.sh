#!/bin/sh
# Autobahn's fuzzing client against the WebSocket part of the real-time server.
#
#     benchmarks/autobahn.sh [FOLDER FOR THE REPORT]
#
# It needs Docker: the client is written for Python 2.7. Its cases expect an echo, so an echo on the
# server's own connection class (bodega_realtime.peer.Peer) is what it talks to: same library, larger
# messages than the 64 KiB of clients, no compression (cases 12 and 13 are left out: nothing is compressed here).
# Expected: no failure but those that the websockets library documents of itself. The report is
# FOLDER/index.html; the script fails when a case did.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
reports=$(mkdir -p "${1:-reports/autobahn}" && cd "${1:-reports/autobahn}" && pwd)
config=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$config"' EXIT INT TERM

cat >"$config/echo.py" <<'PYTHON'
import asyncio

from websockets.asyncio.server import serve

from bodega_realtime.peer import Peer


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    def made(*arguments, **options):
        return Peer(lambda request: False, None, *arguments, **options)

    async with serve(echo, "127.0.0.1", 9001, create_connection=made, compression=None,
                     server_header=None, open_timeout=None, max_size=2**25) as server:
        await server.serve_forever()


asyncio.run(main())
PYTHON
cat >"$config/fuzzingclient.json" <<'JSON'
{"outdir": "/reports", "servers": [{"agent": "bodega", "url": "ws://127.0.0.1:9001"}],
 "cases": ["*"], "exclude-cases": ["12.*", "13.*"], "exclude-agent-cases": {}}
JSON
"$here/.venv/bin/python" "$config/echo.py" &
server=$!
sleep 2
docker run --rm --network host -v "$config:/config:ro" -v "$reports:/reports" \
    crossbario/autobahn-testsuite wstest -m fuzzingclient -s /config/fuzzingclient.json
"$here/.venv/bin/python" - "$reports/index.json" <<'PYTHON'
import json
import sys

found = json.load(open(sys.argv[1]))["bodega"]
failed = [case for case, told in found.items()
          if told["behavior"] not in ("OK", "NON-STRICT", "INFORMATIONAL")]
print(f"{len(found)} cases, failed: {', '.join(failed) or 'none'}")
sys.exit(bool(failed))
PYTHON
