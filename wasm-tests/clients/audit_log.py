"""Runs a query of ours on tables with the columns that Databricks documents, which hold the rows
given, and writes its result, one JSON array on each line."""

import json
import sys

import duckdb

given = json.load(sys.stdin)
database = duckdb.connect()
database.execute("SET TimeZone = 'UTC'")
# Databricks SQL has this function, under the same paths.
database.execute("CREATE MACRO get_json_object(text, path) AS json_extract_string(text, path)")
database.execute("""
    CREATE TABLE oam_otel_logs (
        record_id VARCHAR, time TIMESTAMP, date DATE, service_name VARCHAR, event_name VARCHAR,
        trace_id VARCHAR, span_id VARCHAR, severity_number VARCHAR, severity_text VARCHAR,
        body VARCHAR)
""")
database.execute("""
    CREATE TABLE audit (
        account_id VARCHAR, workspace_id VARCHAR, version VARCHAR, event_time TIMESTAMP,
        event_date DATE, source_ip_address VARCHAR, user_agent VARCHAR, session_id VARCHAR,
        user_identity STRUCT(email VARCHAR, subjectName VARCHAR), service_name VARCHAR,
        action_name VARCHAR, request_id VARCHAR, request_params MAP(VARCHAR, VARCHAR),
        response STRUCT(statusCode INTEGER, errorMessage VARCHAR, result VARCHAR),
        audit_level VARCHAR, event_id VARCHAR)
""")
for record in given["records"]:
    values = [record["time"], record["time"][:10], "databricks_oam_filter.decision", json.dumps(record)]
    database.execute(
        "INSERT INTO oam_otel_logs (time, date, event_name, body) VALUES (?, ?, ?, ?)", values
    )
for call in given["calls"]:
    values = [
        call["workspace_id"], call["event_time"], call["event_time"][:10], call["source_ip_address"],
        call["user_agent"], {"email": call["email"], "subjectName": None}, call["service_name"],
        call["action_name"], call["audit_level"], call["event_id"],
    ]
    database.execute(
        """INSERT INTO audit (workspace_id, event_time, event_date, source_ip_address, user_agent,
               user_identity, service_name, action_name, audit_level, event_id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        values,
    )
query = given["query"].replace("main.security.oam_otel_logs", "oam_otel_logs")
query = query.replace("system.access.audit", "audit")
for row in database.execute(query).fetchall():
    print(json.dumps([value if value is None else str(value) for value in row]))
