//! What kinds of problems a configuration can have. The names are stable: people's pipelines rest
//! on them, as `code` in `oam check --json`.

macro_rules! codes {
    ($($code:ident, $severity:ident, $name:literal, $what:literal, $remedy:literal;)+) => {
        /// What kind of problem it is. Of the kinds that are not refused, see
        /// [`Warning`](super::warning::Warning).
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum ProblemCode {
            $(#[doc = concat!($what, ": ", $remedy, ".")] $code,)+
        }

        impl ProblemCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }
        }
    };
}

// The page with all findings is made from these lines.
#[rustfmt::skip]
codes! {
    // The document.
    NotJson, Error, "not_json", "the configuration is not JSON, or cannot be read as such", "write an object in JSON or YAML";
    KeyRepeated, Error, "key_repeated", "a key stands twice in one object", "keep one of the two";
    KeyUnknown, Error, "key_unknown", "a key that does not exist", "write one of those that the message lists";
    KeyMissing, Error, "key_missing", "a key that has to be there is not", "add it";
    KeyWithoutValue, Error, "key_without_value", "a key without a value (`null`)", "write a value, or remove the key";
    TypeWrong, Error, "type_wrong", "a value of another type, as a text in place of a list", "write what the message expects";
    ValueUnknown, Error, "value_unknown", "a value that is none of those that this key takes", "write one of those that the message lists";
    ValueMalformed, Error, "value_malformed", "a text that cannot be read as what it stands for: a URL, a duration, a scope, a path", "write it as the message says";
    OutOfBounds, Error, "out_of_bounds", "a number or a duration below or above what is possible", "write one between the bounds";
    Empty, Error, "empty", "an empty list or text where something has to be named", "name something, or leave the key out where the message says so";
    NamedTwice, Error, "named_twice", "two of one kind have one name", "rename or merge them";
    NameInvalid, Error, "name_invalid", "a name with characters that names do not have, or too long", "write letters, digits and `-_.:/`";
    SecretShort, Error, "secret_short", "a secret that could be guessed", "write a longer one";
    Unusable, Error, "unusable", "the configuration cannot be used, and nothing says why", "report it: it is a fault of the module";
    // Issuers.
    IssuerUnknown, Error, "issuer_unknown", "names an issuer that is not configured", "write its `issuer`, byte for byte";
    IssuerUnsuitable, Error, "issuer_unsuitable", "an authorization server whose tokens only its owner can validate", "use a custom authorization server";
    AudiencesMissing, Error, "audiences_missing", "no audience: tokens for other services would be accepted", "name the `aud` of this gateway's tokens";
    KeysMissing, Error, "keys_missing", "nothing says where the issuer's keys come from", "name `cluster` with `uri`, or put the keys into `keys`";
    KeysTwice, Error, "keys_twice", "keys are given and are to be fetched", "keep one of the two";
    KeysUnusable, Error, "keys_unusable", "the given keys cannot verify anything", "write the issuer's JWK Set";
    ScopesMissing, Error, "scopes_missing", "scopes are taken from where there are none", "configure `roles`, or name the scopes' claim";
    // Who may do what.
    WorkspaceUnknown, Error, "workspace_unknown", "names a workspace that is not configured", "add it to `workspaces`";
    ConditionMissing, Error, "condition_missing", "a condition that names nothing, or half of it", "name what has to hold";
    RulesOverlap, Error, "rules_overlap", "two rules match the same requests and neither is more specific", "merge them, or give them different methods, issuers or paths";
    RuleContradicts, Error, "rule_contradicts", "a rule asks for what its effect rules out", "leave one of the two out";
    RuleWithoutScopes, Error, "rule_without_scopes", "a rule that requires names no scopes, or both kinds", "write `scopes` or `any_scope`";
    NothingExchanged, Error, "nothing_exchanged", "tokens are to be exchanged, and no issuer's are", "name the issuers, or remove `exchange`";
    // Records.
    RecordsNowhere, Error, "records_nowhere", "records are required, and nothing takes them", "set `audit.log: true`, add `audit.otlp`, or write `required: false`";
    // What is carried out, and can hardly be meant.
    RoleWithoutMembers, Warning, "role_without_members", "nobody can hold this role", "name its members";
    RoleWithoutGrants, Warning, "role_without_grants", "this role allows nothing", "name what it grants";
    RoleOfAnyIssuer, Warning, "role_of_any_issuer", "a group, role or subject counts whichever issuer says so", "name the `issuer`";
    GrantUnknown, Warning, "grant_unknown", "a grant that no operation and no rule asks for", "write an area of `oam catalogue`, or ask for it in a rule";
    RolesMissing, Warning, "roles_missing", "no roles: a token with `all-apis` may do everything", "name functional roles";
    UnmatchedOpen, Warning, "unmatched_open", "requests that nobody described are let through for whoever holds `all-apis`", "write `unmatched: deny`";
    RuleNeverApplies, Warning, "rule_never_applies", "another rule takes all its requests", "remove one of the two";
    RuleExact, Warning, "rule_exact", "a rule with `exact` restricts one spelling of an operation alone", "leave `exact` out";
    RuleAbove, Warning, "rule_above", "a rule for all below a path also holds for that path", "write `exact: true` if the two differ";
    RuleLeavesIssuers, Warning, "rule_leaves_issuers", "a rule for some issuers leaves the path open to the callers of others", "write a rule for them too, or leave `issuers` out";
    RecordsOff, Warning, "records_off", "no decision leaves a record", "set `audit.log: true`, or add `audit.otlp`";
    PublicApi, Warning, "public_api", "a part of the Databricks API is public", "require a scope";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ProblemCode::ALL.len());
        for name in names {
            let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            assert!(name.chars().all(is_letter), "{name}");
        }
    }
}
