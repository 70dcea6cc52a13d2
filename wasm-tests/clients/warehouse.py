"""A stand-in for a SQL warehouse: speaks Thrift over HTTP, in the classes of the driver itself, and has SQLite run the statements.

Says on a line of its own where it listens, and then of each request what came with it.
"""

import json
import sqlite3
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

VERSION = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7
OK = ttypes.TStatus(ttypes.TStatusCode.SUCCESS_STATUS)
FLAGS = "/api/2.0/connector-service/feature-flags/"


def identifier():
    return ttypes.THandleIdentifier(guid=uuid.uuid4().bytes, secret=uuid.uuid4().bytes)


class Warehouse:
    """What the service does. Integers are all that statements may yield."""

    def __init__(self):
        self.results = {}

    def OpenSession(self, request):
        session = ttypes.TSessionHandle(sessionId=identifier(), serverProtocolVersion=VERSION)
        return ttypes.TOpenSessionResp(status=OK, serverProtocolVersion=VERSION, sessionHandle=session)

    def CloseSession(self, request):
        return ttypes.TCloseSessionResp(status=OK)

    def ExecuteStatement(self, request):
        operation = identifier()
        self.results[operation.guid] = sqlite3.connect(":memory:").execute(request.statement)
        kind = ttypes.TOperationType.EXECUTE_STATEMENT
        handle = ttypes.TOperationHandle(operationId=operation, operationType=kind, hasResultSet=True)
        return ttypes.TExecuteStatementResp(status=OK, operationHandle=handle)

    def GetOperationStatus(self, request):
        return ttypes.TGetOperationStatusResp(status=OK, operationState=ttypes.TOperationState.FINISHED_STATE)

    def GetResultSetMetadata(self, request):
        return self.metadata(request.operationHandle)

    def FetchResults(self, request):
        rows = self.results[request.operationHandle.operationId.guid].fetchall()
        columns = [ttypes.TColumn(i64Val=ttypes.TI64Column(values=list(column), nulls=b"")) for column in zip(*rows)]
        return ttypes.TFetchResultsResp(
            status=OK,
            hasMoreRows=False,
            results=ttypes.TRowSet(startRowOffset=0, rows=[], columns=columns),
            resultSetMetadata=self.metadata(request.operationHandle),
        )

    def CloseOperation(self, request):
        del self.results[request.operationHandle.operationId.guid]
        return ttypes.TCloseOperationResp(status=OK)

    def metadata(self, handle):
        integer = ttypes.TTypeEntry(primitiveEntry=ttypes.TPrimitiveTypeEntry(type=ttypes.TTypeId.BIGINT_TYPE))
        columns = [
            ttypes.TColumnDesc(columnName=name, typeDesc=ttypes.TTypeDesc(types=[integer]), position=position)
            for position, (name, *_) in enumerate(self.results[handle.operationId.guid].description, start=1)
        ]
        return ttypes.TGetResultSetMetadataResp(
            status=OK,
            schema=ttypes.TTableSchema(columns=columns),
            resultFormat=ttypes.TSparkRowSetType.COLUMN_BASED_SET,
            lz4Compressed=False,
        )


service = TCLIService.Processor(Warehouse())


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.saw(None)
        if self.path.startswith(FLAGS):
            self.answer("application/json", b'{"flags": []}')
        else:
            self.send_error(404)

    def do_POST(self):
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:
            # The gateway took the rest for itself.
            self.close_connection = True
            return
        if self.headers["content-type"] != "application/x-thrift":
            self.saw(None)
            self.send_error(404)
            return
        self.saw(TBinaryProtocol(TMemoryBuffer(body)).readMessageBegin()[0])
        result = TMemoryBuffer()
        service.process(TBinaryProtocol(TMemoryBuffer(body)), TBinaryProtocol(result))
        self.answer("application/x-thrift", result.getvalue())

    def saw(self, call):
        say({"path": self.path, "call": call, "authorization": self.headers.get_all("authorization")})

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


def say(fact):
    print(json.dumps(fact), flush=True)


server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
say({"address": "127.0.0.1:%d" % server.server_port})
server.serve_forever()
