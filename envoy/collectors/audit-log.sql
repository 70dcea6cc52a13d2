-- Records of the gateway beside Databricks' own audit log: who went round the gateway?
--
-- Write your own: the table of records, the workspace, the addresses from which the gateway calls
-- Databricks, and the day from which on.
WITH
gateway (address) AS (VALUES ('203.0.113.7'), ('203.0.113.8')),
records AS (
  SELECT
    time,
    get_json_object(line, '$.decision_id') AS decision_id,
    -- A gateway that is not bound to workspaces names none.
    COALESCE(get_json_object(line, '$.workspace'), '1234567890123456') AS workspace_id,
    LOWER(get_json_object(line, '$.subject')) AS subject,
    LOWER(get_json_object(line, '$.client')) AS client,
    get_json_object(line, '$.user_agent') AS user_agent,
    get_json_object(line, '$.operation') AS operation
  FROM (
    SELECT time, CAST(body AS STRING) AS line
    FROM main.security.oam_otel_logs
    WHERE date >= DATE '2026-11-01' AND event_name = 'databricks_oam_filter.decision'
  ) AS logged
  -- What went upstream: permitted, or refused by a policy that is in shadow mode.
  WHERE get_json_object(line, '$.decision') = 'allow' OR get_json_object(line, '$.mode') = 'shadow'
),
calls AS (
  SELECT
    event_time, event_id, workspace_id, user_agent, source_ip_address,
    LOWER(user_identity.email) AS principal,
    CONCAT(service_name, '.', action_name) AS action
  FROM system.access.audit
  WHERE event_date >= DATE '2026-11-01' AND audit_level = 'WORKSPACE_LEVEL'
    AND workspace_id = '1234567890123456'
),
pairs AS (
  SELECT
    calls.event_id, records.decision_id,
    ROW_NUMBER() OVER (PARTITION BY calls.event_id ORDER BY records.time DESC) AS nearest
  FROM calls
  JOIN records
    ON calls.workspace_id = records.workspace_id
    AND calls.principal IN (records.subject, records.client)
    AND calls.user_agent = records.user_agent
    -- The record is written before the call goes on; clocks may differ by two seconds.
    AND calls.event_time >= records.time - INTERVAL 2 SECONDS
    AND calls.event_time <= records.time + INTERVAL 60 SECONDS
  WHERE calls.source_ip_address IN (SELECT address FROM gateway)
)
SELECT
  CASE
    WHEN calls.source_ip_address NOT IN (SELECT address FROM gateway) THEN 'went round the gateway'
    WHEN pairs.event_id IS NULL THEN 'through the gateway, without a record'
    ELSE 'recorded'
  END AS finding,
  calls.event_time AS seen_at, calls.principal, calls.action AS what, calls.source_ip_address AS address,
  pairs.decision_id, calls.event_id
FROM calls
LEFT JOIN pairs ON calls.event_id = pairs.event_id AND pairs.nearest = 1
UNION ALL
SELECT
  'recorded, not in the audit log' AS finding,
  records.time AS seen_at, records.subject AS principal, records.operation AS what, NULL AS address,
  records.decision_id, NULL AS event_id
FROM records
WHERE records.decision_id NOT IN (SELECT decision_id FROM pairs WHERE nearest = 1)
ORDER BY seen_at, finding
