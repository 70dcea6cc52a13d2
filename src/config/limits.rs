//! The section `limits`: a row for each key, the only place that knows its default, its bounds and
//! their reason. What is read, what is checked, and what the schema and the pages say all come from
//! these rows.

#[cfg(schema)]
mod schema;

use std::time::Duration;

use serde::Deserialize;

use super::problem::{Place, Problems};
use super::value::{Bounded, Count, Span};

/// Makes of the rows [`Limits`], as the section is written, and [`CheckedLimits`], as it is read.
macro_rules! limits {
    ($($key:ident: $kind:ty = $default:expr, $bounds:expr, $what:literal, $reason:literal;)+) => {
        #[derive(Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct Limits {
            $($key: $kind,)+
        }

        /// The section, every value within its bounds.
        pub(super) struct CheckedLimits {
            $(pub(super) $key: <$kind as Bounded>::Value,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($key: $default,)+ }
            }
        }

        impl Limits {
            #[inline(never)]
            pub(super) fn check(self, problems: &mut Problems) -> Option<CheckedLimits> {
                $(
                    let place = Place::at(concat!("limits.", stringify!($key)));
                    let $key = self.$key.within($bounds, &place, problems);
                )+
                Some(CheckedLimits { $($key: $key?,)+ })
            }
        }

        #[cfg(schema)]
        impl schemars::JsonSchema for Limits {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "Limits".into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut keys = serde_json::Map::new();
                $(
                    let key = schema::key($default, &$bounds, $what, $reason, generator);
                    keys.insert(stringify!($key).to_owned(), key.into());
                )+
                schemars::json_schema!({
                    "type": "object",
                    "properties": keys,
                    "additionalProperties": false
                })
            }
        }
    };
}

// key: kind = default, bounds, what it is for, why these.
limits! {
    token_bytes: Count = Count(16_384), 512..=61_440,
        "The longest token that is looked at.",
        "the largest of Entra and Keycloak have 8 to 12 KiB, no real token fits into less than 512 bytes, and Envoy takes 60 KiB of request headers in all";
    waiting_requests: Count = Count(1024), 0..=4096,
        "How many requests may wait for keys.",
        "each holds its request headers; how many bytes they hold together is bounded besides";
    waiting_time: Span = Span::seconds(5), Duration::ZERO..=Duration::from_mins(1),
        "How long a request may wait for keys.",
        "a minute is longer than clients wait";
    cached_tokens: Count = Count(10_000), 0..=1_000_000,
        "How many verified tokens are remembered.",
        "0 remembers none";
    cached_bytes: Count = Count(16_777_216), 0..=1_073_741_824,
        "How many bytes the remembered tokens may take.",
        "16 MiB hold 10,000 tokens of a common length, and a VM has 4 GiB at the very most";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a section with this one key, and what comes of it.
    fn checked(key: &str, value: &str) -> Result<String, String> {
        let section: Limits = serde_json::from_str(&format!(r#"{{"{key}":{value}}}"#)).unwrap();
        let mut problems = Problems::default();
        let checked = section.check(&mut problems);
        match problems.into_error() {
            Some(error) => Err(error.to_string()),
            None => Ok(checked.unwrap().shown()),
        }
    }

    impl CheckedLimits {
        fn shown(&self) -> String {
            let Self {
                token_bytes,
                waiting_requests,
                waiting_time,
                cached_tokens,
                cached_bytes,
            } = self;
            format!(
                "{token_bytes} {waiting_requests} {waiting_time:?} {cached_tokens} {cached_bytes}"
            )
        }
    }

    #[test]
    fn every_key_has_a_default_and_two_bounds() {
        #[rustfmt::skip]
        let cases = [
            // key                 value             want
            ("token_bytes",        "511",            Err("limits.token_bytes: must be between 512 and 61440")),
            ("token_bytes",        "512",            Ok("512 1024 5s 10000 16777216")),
            ("token_bytes",        "61440",          Ok("61440 1024 5s 10000 16777216")),
            ("token_bytes",        "61441",          Err("limits.token_bytes: must be between 512 and 61440")),
            ("waiting_requests",   "0",              Ok("16384 0 5s 10000 16777216")),
            ("waiting_requests",   "4096",           Ok("16384 4096 5s 10000 16777216")),
            ("waiting_requests",   "4097",           Err("limits.waiting_requests: must be between 0 and 4096")),
            ("waiting_time",       "\"0s\"",         Ok("16384 1024 0ns 10000 16777216")),
            ("waiting_time",       "\"1m\"",         Ok("16384 1024 60s 10000 16777216")),
            ("waiting_time",       "\"60001ms\"",    Err("limits.waiting_time: must be between 0ms and 1m")),
            ("cached_tokens",      "0",              Ok("16384 1024 5s 0 16777216")),
            ("cached_tokens",      "1000000",        Ok("16384 1024 5s 1000000 16777216")),
            ("cached_tokens",      "1000001",        Err("limits.cached_tokens: must be between 0 and 1000000")),
            ("cached_bytes",       "0",              Ok("16384 1024 5s 10000 0")),
            ("cached_bytes",       "1073741824",     Ok("16384 1024 5s 10000 1073741824")),
            ("cached_bytes",       "1073741825",     Err("limits.cached_bytes: must be between 0 and 1073741824")),
        ];
        for (key, value, want) in cases {
            let got = checked(key, value);
            let got = got.as_deref().map_err(String::as_str);
            assert_eq!(got, want, "{key}: {value}");
        }
    }
}
