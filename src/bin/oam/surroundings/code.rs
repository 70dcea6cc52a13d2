//! The table of everything that can be found around a configuration. The names are stable: people's
//! pipelines rest on them.

use super::finding::Severity::{self, Error, NotChecked, Warning};

/// One row: what stays the same wherever it is found. `{}` stands for what differs.
pub(in crate::cli) struct Entry {
    pub(in crate::cli) name: &'static str,
    pub(super) severity: Severity,
    pub(super) message: &'static str,
    pub(super) remedy: &'static str,
}

macro_rules! codes {
    ($($code:ident, $severity:ident, $name:literal, $message:literal, $remedy:literal;)+) => {
        /// What can be found.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(in crate::cli) enum Code { $($code,)+ }

        impl Code {
            pub(in crate::cli) const fn entry(self) -> Entry {
                match self {
                    $(Self::$code => Entry { name: $name, severity: $severity, message: $message, remedy: $remedy },)+
                }
            }

            /// All of them.
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$code,)+];
        }
    };
}

#[rustfmt::skip]
codes! {
    // Ways to a workspace.
    FilterMissing, Error, "filter_missing", "requests reach a workspace here past this filter: {}", "put the filter into this chain before whatever routes, or remove the way";
    FilterDisabled, Error, "filter_disabled", "requests pass the filter by here: it is disabled: {}", "remove `disabled`";
    FilterOptional, Error, "filter_optional", "a gateway that cannot load the filter leaves it out and lets every request pass", "remove `is_optional`";
    FilterConditional, Error, "filter_conditional", "the filter stands behind a condition: requests that do not meet it are not judged", "put it into `http_filters` by itself";
    FilterUnreached, Error, "filter_unreached", "behind {}, which answers or routes before the filter is asked", "put the filter first";
    FilterUnused, Error, "filter_unused", "no way to a workspace leads through the filter", "enable it, and route through it";
    FilterNotSeen, NotChecked, "filter_not_seen", "not checked: a filter that is discovered at run time: {}", "check a manifest that holds it";
    UpgradeNotWebsocket, Error, "upgrade_not_websocket", "what follows this upgrade is forwarded unread, further requests with it: `{}`", "allow `websocket` alone";
    ListenersNotSeen, NotChecked, "listeners_not_seen", "not checked: listeners that come from elsewhere may lead to a workspace past the filter", "check them as well: give their file to `oam check` too";
    ClustersNotSeen, NotChecked, "clusters_not_seen", "not checked: clusters that come from elsewhere: {}", "check them as well: give their file to `oam check` too";
    RoutesNotSeen, NotChecked, "routes_not_seen", "not checked: routes that come from elsewhere may leave the filter out or change what it judged: {}", "check them as well: give their file to `oam check` too";
    ExtensionNotSeen, NotChecked, "extension_not_seen", "not checked: an extension that `oam` does not know: `{}`", "put it before the filter, or look yourself that it changes neither path, host, method nor credentials, and routes nothing past the filter";
    DestinationNotSeen, NotChecked, "destination_not_seen", "not checked: where this leads: {}", "name the cluster's hosts";
    DestinationChosen, Error, "destination_chosen_by_caller", "the caller chooses where the request goes: {}", "name the cluster, and its hosts";
    GatewayNotSeen, NotChecked, "gateway_not_seen", "not checked: the gateway that this configuration is for", "check the Envoy bootstrap or the manifests that carry it";
    // What was judged is what is forwarded.
    PathNotNormalized, Error, "path_not_normalized", "not `true`: Envoy and the workspace may read one path differently", "write `true`";
    SlashesEscaped, Error, "slashes_escaped", "escaped slashes pass, and servers differ on what they are", "write `REJECT_REQUEST`";
    SlashesApart, Error, "slashes_apart", "doubled slashes pass, and servers differ on what they are", "remove it";
    PathRewritten, Error, "path_rewritten", "the path changes behind the filter: it judged another one than the workspace gets", "route by the path as clients send it, and rewrite nothing";
    HostRewritten, Error, "host_rewritten", "the host changes behind the filter to one that is not the workspace's own: {}", "write the workspace's host as a literal";
    HeaderRewritten, Error, "header_rewritten", "changes behind the filter what it judged or removed: `{}`", "remove it";
    ChangedBehind, Error, "changed_behind", "this filter stands behind and may change what was judged: `{}`", "put it before the filter, or remove it";
    CredentialAdded, Error, "credential_added", "gives credentials of the gateway's own to requests: `{}`", "remove it: the filter decides what credentials go upstream";
    AnsweredBefore, Error, "answered_before", "answers from what others got, before the filter is asked: `{}`", "put it outside the ways to a workspace";
    CredentialsMirrored, Warning, "credentials_mirrored", "a copy of each request, with its credentials, goes to another cluster: {}", "remove it, if nobody needs it";
    RedirectFollowed, Warning, "redirect_followed", "the gateway follows the workspace's redirects with the credentials that the request then has", "remove it: clients follow redirects themselves";
    NoBuffer, Warning, "no_buffer", "no `envoy.filters.http.buffer` behind the filter: the head of a token request reaches the workspace before its form was judged", "add one for `/oidc/`";
    NoIdleTimeout, Warning, "no_idle_timeout", "missing or endless: a request that waits for a module which failed waits for minutes", "write `30s`";
    RapidReset, Warning, "rapid_reset", "no `http.max_requests_per_io_cycle`: one client's burst of HTTP/2 resets keeps all others out", "write a `static_layer` with `http.max_requests_per_io_cycle: 1`";
    DrainSlow, Warning, "drain_slow", "open connections stay under the old policy for minutes after a change", "start Envoy with `--drain-time-s 1 --drain-strategy immediate`";
    DrainNotSeen, Warning, "drain_not_seen", "how Envoy is started is not among these files: by its default, open connections stay under the old policy for minutes after a change", "start Envoy with `--drain-time-s 1 --drain-strategy immediate`, and give the manifest that does to `oam check` too";
    // The record.
    AddressClaimed, Error, "address_claimed", "the address in the record is what a header claims: {}", "write `use_remote_address: true`, with `xff_num_trusted_hops` for the proxies in front";
    AddressByProxy, Warning, "address_by_proxy", "the address in the record is what a PROXY header claims", "let nobody but the load balancer connect here";
    AdminExposed, Warning, "admin_exposed", "whoever reaches the administration may switch records off and end the gateway", "bind it to 127.0.0.1";
    MetricsUnlabelled, Warning, "metrics_unlabelled", "labels of the filter's metrics that nothing takes out of their names, so that alerts and dashboard find no series: {}", "copy `stats_tags` from `envoy/production.yaml`";
    // Clusters that trust rests on.
    ClusterMissing, Error, "cluster_missing", "no such cluster in the bootstrap, which has {}", "add it there";
    TlsMissing, Error, "tls_missing", "no TLS: whoever is on the way reads and writes {}", "add a `transport_socket` with an `UpstreamTlsContext` that has `sni`, `trusted_ca` and the server's name";
    TlsUntrusted, Error, "tls_untrusted", "certificates are not verified: {}", "write `validation_context` with `trusted_ca` (Envoy takes other keys and verifies nothing by them)";
    TlsAnyName, Error, "tls_any_name", "a certificate of any name will do: {}", "write `auto_sni_san_validation: true`, or `match_typed_subject_alt_names` with the host";
    TlsOtherName, Error, "tls_other_name", "certificates are for another host than is asked: {}", "write the host that the configuration names";
    TlsNoSni, Error, "tls_no_sni", "no `sni`: the server cannot tell which of its hosts is meant: {}", "write the host";
    TlsNotSeen, NotChecked, "tls_not_seen", "not checked: how certificates are verified comes from elsewhere: {}", "write it here";
    // The module and its configuration.
    FailsOpen, Error, "fails_open", "once the module has failed, every request goes to the workspace unchecked", "write `FAIL_RELOAD`";
    FailsOpenKubernetes, Error, "fails_open", "once the module has failed, every request goes to the workspace unchecked", "remove it";
    FailsClosed, Error, "fails_closed_for_good", "not `FAIL_RELOAD`: a worker whose module has failed once answers 503 until the configuration changes", "write `FAIL_RELOAD`";
    FailsClosedEnvoyGateway, Error, "fails_closed_for_good", "Envoy Gateway sets no `failure_policy`: a worker whose module has failed once answers 503 until the configuration changes", "set `FAIL_RELOAD` by an `EnvoyPatchPolicy`, and check it together with this file";
    VmIdMissing, Warning, "vm_id_missing", "missing: workers do not share keys without one, and each fetches for itself", "write one that no other module has";
    VmIdShared, Error, "vm_id_shared", "another module has the same, and may give this one keys to verify tokens with: {}", "write one that no other module has";
    CapabilitiesNoObject, Error, "capabilities_malformed", "not an object", "write `proxy_log: {}` and the like";
    CapabilitiesGates, Error, "capabilities_missing", "what Envoy does not show the filter passes it", "grant `{}`";
    CapabilitiesCallbacks, Error, "capabilities_missing", "the filter is never ready without these", "grant `{}`";
    CapabilitiesCalls, Error, "capabilities_missing", "the filter refuses or holds requests without these", "grant `{}`";
    TokenEndpointShared, Error, "token_endpoint_shared", "a workspace's own token endpoint makes tokens for that workspace alone, and this gateway is before several: {}", "exchange at the account's, `https://accounts.…/oidc/accounts/<id>/v1/token`, or run a gateway for each";
    // The configuration, what only `oam` says of it.
    RecordsDropped, Error, "records_dropped", "the platform's log drops records of this level", "write the level that it keeps";
    EntraAnyTenant, Warning, "entra_any_tenant", "a name that stands for every tenant, and that no token has in `iss`", "write the ID of your tenant";
    EntraVersion, Warning, "entra_version", "the issuer of one version of Entra's tokens with the preset of the other", "write `preset: entra_v1` or `entra`, as the message says";
    PathUnknown, Warning, "path_unknown", "a path that looks like one of Databricks' and is in no catalogue", "write the one that the message names";
    // Istio.
    PortsLeftOut, Error, "ports_left_out", "requests on other ports than these are not judged: {}", "remove `ports`, or name every port of the gateway";
    WrongDirection, Error, "wrong_direction", "a gateway's traffic is `CLIENT`: the filter is never asked", "write `CLIENT`, or remove `mode`";
    NetworkFilter, Error, "network_filter", "the module judges HTTP requests: as a network filter it sees none", "write `HTTP`, or remove it";
    PatchBehindRouter, Error, "patch_behind_router", "this puts the filter behind the router, which never asks it", "write `INSERT_BEFORE` with the router as `subFilter`, or `INSERT_FIRST`";
    PatchRemoves, Error, "patch_removes", "this patch takes the filter out, or what it needs", "remove the patch";
    MeshPathAsSent, Error, "mesh_path_as_sent", "paths are not normalized: the gateway and the workspace may read one path differently", "write `DECODE_AND_MERGE_SLASHES`";
    MeshNotSeen, NotChecked, "mesh_not_seen", "not checked: {}", "check the manifest that says so together with this one";
    // Envoy Gateway.
    RouteWithoutPolicy, Error, "route_without_policy", "no policy with the filter holds for this route, which leads to a workspace: {}", "target the gateway, or this route as well";
    PolicyReplaced, Error, "policy_replaced", "this policy replaces the one with the filter, so its routes are not judged", "write `mergeType`, or put the filter in here too";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use databricks_oam_filter::config::code::ProblemCode;

    use super::*;

    /// What has one name is one problem, wherever it stands, and equally bad.
    #[test]
    fn no_name_stands_for_two_severities_or_is_one_of_the_configurations() {
        let mut severities = BTreeMap::new();
        for code in Code::ALL {
            let Entry { name, severity, .. } = code.entry();
            assert_eq!(
                *severities.entry(name).or_insert(severity),
                severity,
                "{name}"
            );
        }
        for code in ProblemCode::ALL {
            assert_eq!(severities.get(code.as_str()), None, "{}", code.as_str());
        }
    }

    #[test]
    fn every_entry_is_whole() {
        for code in Code::ALL {
            let entry = code.entry();
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(entry.name.chars().all(is_name), "{}", entry.name);
            assert!(
                !entry.message.is_empty() && !entry.remedy.is_empty(),
                "{}",
                entry.name
            );
            let says_so = entry.message.starts_with("not checked");
            assert_eq!(says_so, entry.severity == NotChecked, "{}", entry.name);
        }
    }
}
