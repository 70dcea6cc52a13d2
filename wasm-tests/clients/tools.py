"""A stand-in for Databricks' MCP server of a schema's functions: one tool, over streamable HTTP.

Says on a line of its own where it listens, and then of each request what came with it.
"""

import asyncio
import json
import socket

import uvicorn
from mcp.server import MCPServer

server = MCPServer("functions")


@server.tool()
def main__tools__add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def say(fact):
    print(json.dumps(fact), flush=True)


def telling(app):
    async def tell(scope, receive, send):
        if scope["type"] == "http":
            authorization = [value.decode() for name, value in scope["headers"] if name == b"authorization"]
            say({"method": scope["method"], "path": scope["path"], "authorization": authorization})
        await app(scope, receive, send)

    return tell


app = server.streamable_http_app(streamable_http_path="/api/2.0/mcp/functions/main/tools")
listener = socket.create_server(("127.0.0.1", 0))
say({"address": "127.0.0.1:%d" % listener.getsockname()[1]})
running = uvicorn.Server(uvicorn.Config(telling(app), log_level="error"))
asyncio.run(running.serve(sockets=[listener]))
