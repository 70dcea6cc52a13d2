"""What databricks-sql-connector makes of the gateway's answers to a statement, as JSON: its rows, or what it raises."""

import faulthandler
import json
import logging
import sys

# The driver can wait for a quarter of an hour: better a stack trace than a silent test.
faulthandler.dump_traceback_later(120, exit=True)

from databricks import sql
from databricks.sql.exc import Error

PATH = "/sql/1.0/warehouses/w1"
given = json.load(sys.stdin)

# Where the exchange comes to nothing the driver goes on with the token that it has, and says so
# here alone.
warnings = []
listening = logging.Handler(logging.WARNING)
listening.emit = lambda record: warnings.append(record.getMessage())
logging.getLogger("databricks.sql.auth.token_federation").addHandler(listening)


def outcome():
    try:
        # It takes a host without a port, so the port goes in by the option for whole addresses.
        with sql.connect(
            server_hostname=given["gateway"],
            http_path=PATH,
            access_token=given["token"],
            _connection_uri=f"https://{given['gateway']}{PATH}",
            _tls_trusted_ca_file=given["authority"],
        ) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return {"returned": [list(row) for row in cursor.fetchall()]}
    except Error as error:
        return {
            "raised": f"{type(error).__module__}.{type(error).__name__}",
            "message": error.message,
            "status": error.context.get("http-code"),
        }


print(json.dumps(outcome() | {"warnings": len(warnings)}))
