//! What the host calls a metric.
//!
//! Proxy-wasm knows no labels, only names. Ours hold each label as `label=.=value;.;`, which is the
//! form that Istio's `extraStatTags` takes out of a name again, and Envoy's `stats_tags` by one
//! regular expression for each label. What remains is the name that Prometheus shows.

/// The name of a metric with these labels.
pub(in crate::gateway) fn name(labels: &[(&str, &str)], metric: &str) -> String {
    let mut name = String::from("oam_filter.");
    for (label, value) in labels {
        name.push_str(label);
        name.push_str("=.=");
        // The separator ends a value, so no value may hold it.
        name.push_str(&value.replace(';', "_"));
        name.push_str(";.;");
    }
    name.push_str(metric);
    name
}

/// Decisions, by what was decided, how, why, and whose token it was about.
pub(super) const DECISIONS: &str = "decisions_total";
/// Requests, by the class of their credential and what became of them.
pub(super) const CREDENTIALS: &str = "credentials_total";
/// When a class of credentials that is observed will be refused.
pub(super) const CREDENTIAL_UNTIL: &str = "credential_until_timestamp_seconds";
/// Records, by whether the host's log took them.
pub(super) const RECORDS: &str = "records_total";
/// Batches of records for the collector, by what came of them.
pub(super) const BATCHES: &str = "record_batches_total";
/// Records for the collector, by what became of them.
pub(super) const COLLECTOR_RECORDS: &str = "collector_records_total";
/// Requests that were held, and are not any more.
pub(super) const WAITS: &str = "waits_total";
/// For how long they were held together.
pub(super) const WAIT_TIME: &str = "wait_milliseconds_total";
/// Exchanges, by what came of them.
pub(super) const EXCHANGES: &str = "exchanges_total";
/// Looks into the memory of verified tokens.
pub(super) const LOOKUPS: &str = "verified_token_lookups_total";
/// Tokens that made room in it for others.
pub(super) const EVICTIONS: &str = "verified_token_evictions_total";
/// Fetches of an issuer's keys.
pub(super) const KEY_FETCHES: &str = "key_fetches_total";
/// Keys that a worker took over from another.
pub(super) const KEYS_SHARED: &str = "keys_shared_total";
/// Workers that have to fetch for themselves.
pub(super) const KEYS_UNSHARED: &str = "keys_unshared_total";
/// When an issuer's keys were last fetched.
pub(super) const KEYS_FETCHED: &str = "keys_fetched_timestamp_seconds";
/// How old they may grow.
pub(super) const KEYS_MAX_STALE: &str = "keys_max_stale_seconds";
/// Polls of the list of revoked tokens.
pub(super) const LIST_POLLS: &str = "withdrawal_list_polls_total";
/// When it was last known to be the newest.
pub(super) const LIST_FETCHED: &str = "withdrawal_list_timestamp_seconds";
/// How old it may grow.
pub(super) const LIST_MAX_STALE: &str = "withdrawal_list_max_stale_seconds";
/// How much it holds.
pub(super) const LIST_ENTRIES: &str = "withdrawal_list_entries";
/// How long access tokens live.
pub(super) const TOKEN_LIFETIME: &str = "token_lifetime_seconds";
/// Tokens that were granted `offline_access`.
pub(super) const OFFLINE_ACCESS: &str = "tokens_offline_access_total";
/// Which engine verifies signatures of an algorithm.
pub(in crate::gateway) const SIGNATURE_ENGINE: &str = "signature_engine";
/// The configuration and the module that serve.
pub(super) const INFO: &str = "info";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_the_name_as_istio_takes_them_out_of_it() {
        let labels = [("issuer", "https://a.example/x;y"), ("outcome", "success")];
        let want = "oam_filter.issuer=.=https://a.example/x_y;.;outcome=.=success;.;keys_total";
        assert_eq!(name(&labels, "keys_total"), want);
        assert_eq!(name(&[], "waits_total"), "oam_filter.waits_total");
    }
}
