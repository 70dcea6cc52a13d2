//! Compact records in the very words in which the module writes them, members in their order.
//!
//! Nearly all lines are such ones, and a general reader of JSON takes twice as long for them. This
//! one understands no escapes and no other order: it leaves such a line to that reader.

use memchr::memchr2;
use serde::Deserialize;

use super::record::{Decided, Enforcement, Record, Text};

/// The record that a line is; `None` where that needs a general reader, also to say what is wrong.
pub(super) fn read(line: &str) -> Option<Record<'_>> {
    // Within texts JSON allows none of them, and the module writes none between members. Without a
    // way out of the loop, many bytes are looked at at once.
    let has_control = line.bytes().fold(false, |any, byte| any | (byte < b' '));
    if has_control {
        return None;
    }
    let mut members = RestOfLine(line.strip_prefix("{\"")?);
    let record = members.record().ok()?;
    (members.0 == "}").then_some(record)
}

/// What is left of a line, behind the quote before the next member's name; `}` at the end.
struct RestOfLine<'a>(&'a str);

/// Something is written otherwise than the module writes it: the general reader's.
struct Otherwise;

/// Whether a member is the next one, and its value.
enum Next {
    Absent,
    Null,
    Value,
}

impl<'a> RestOfLine<'a> {
    /// All members, in the order of `src/audit/compact.rs`.
    fn record(&mut self) -> Result<Record<'a>, Otherwise> {
        Ok(Record {
            time: self.text("time")?,
            decision: match self.text("decision")?.ok_or(Otherwise)?.as_str() {
                "allow" => Decided::Allow,
                "deny" => Decided::Deny,
                _ => return Err(Otherwise),
            },
            mode: match self.text("mode")?.ok_or(Otherwise)?.as_str() {
                "enforce" => Enforcement::Enforce,
                "shadow" => Enforcement::Shadow,
                _ => return Err(Otherwise),
            },
            reason: self.text("reason")?.ok_or(Otherwise)?,
            claim: self.text("claim")?,
            claim_fault: self.text("claim_fault")?,
            decision_id: self.text("decision_id")?.ok_or(Otherwise)?,
            request_id: self.text("request_id")?,
            trace_id: self.text("trace_id")?,
            host: self.text("host")?,
            method: self.text("method")?.ok_or(Otherwise)?,
            path: self.text("path")?.ok_or(Otherwise)?,
            operation: self.text("operation")?,
            required_scopes: self.texts("required_scopes")?.unwrap_or_default(),
            mcp: self.object("mcp")?,
            token_scopes: self.texts("token_scopes")?,
            role_grants: self.texts("role_grants")?,
            effective_scopes: self.texts("effective_scopes")?.unwrap_or_default(),
            rule: self.text("rule")?,
            roles: self.texts("roles")?.unwrap_or_default(),
            issuer: self.text("issuer")?,
            subject: self.text("subject")?,
            client: self.text("client")?,
            actor: self.text("actor")?,
            earlier_actors: self.texts("earlier_actors")?.unwrap_or_default(),
            token_id: self.text("token_id")?,
            token_expires_at: self.number("token_expires_at")?,
            token_lifetime: self.number("token_lifetime")?,
            offline_access: self.holds("offline_access")?,
            credential: self.text("credential")?,
            credential_fingerprint: self.text("credential_fingerprint")?,
            credential_leaked: self.holds("credential_leaked")?,
            unverified: self.object("unverified")?,
            inputs: self.object("inputs")?,
            workspace: self.text("workspace")?,
            exchanged_scope: self.text("exchanged_scope")?,
            exchange_error: self.text("exchange_error")?,
            source_ip: self.text("source_ip")?,
            user_agent: self.text("user_agent")?,
            worker: self.text("worker")?,
            sequence: self.number("sequence")?,
            config: self.text("config")?,
        })
    }

    /// Moves on to the value of a member, or behind it where that is `null`.
    fn next(&mut self, name: &str) -> Next {
        // Most names that are not the next one differ in their first letter.
        let is_like = self.0.as_bytes().first() == name.as_bytes().first();
        let rest = is_like.then(|| self.0.strip_prefix(name)?.strip_prefix("\":"));
        let Some(rest) = rest.flatten() else {
            return Next::Absent;
        };
        self.0 = rest;
        match rest.strip_prefix("null") {
            Some(rest) if self.go_on(rest).is_ok() => Next::Null,
            _ => Next::Value,
        }
    }

    /// Moves on behind a value, to the next member.
    fn go_on(&mut self, rest: &'a str) -> Result<(), Otherwise> {
        self.0 = match rest.strip_prefix(",\"") {
            Some(rest) => rest,
            None if rest == "}" => rest,
            None => return Err(Otherwise),
        };
        Ok(())
    }

    /// A text that may be absent.
    fn text(&mut self, name: &str) -> Result<Option<Text<'a>>, Otherwise> {
        match self.next(name) {
            Next::Absent | Next::Null => return Ok(None),
            Next::Value => {}
        }
        let (text, rest) = quoted(self.0).ok_or(Otherwise)?;
        self.go_on(rest)?;
        Ok(Some(text))
    }

    /// A list of texts that may be absent.
    fn texts(&mut self, name: &str) -> Result<Option<Vec<Text<'a>>>, Otherwise> {
        match self.next(name) {
            Next::Absent => return Ok(None),
            Next::Null => return Err(Otherwise),
            Next::Value => {}
        }
        let mut texts = Vec::new();
        let mut list = self.0.strip_prefix('[').ok_or(Otherwise)?;
        while !list.starts_with(']') {
            if !texts.is_empty() {
                list = list.strip_prefix(',').ok_or(Otherwise)?;
            }
            let (text, rest) = quoted(list).ok_or(Otherwise)?;
            texts.push(text);
            list = rest;
        }
        self.go_on(list.strip_prefix(']').ok_or(Otherwise)?)?;
        Ok(Some(texts))
    }

    /// A number that may be absent.
    fn number(&mut self, name: &str) -> Result<Option<u64>, Otherwise> {
        match self.next(name) {
            Next::Absent | Next::Null => return Ok(None),
            Next::Value => {}
        }
        let end = self.0.find([',', '}']).ok_or(Otherwise)?;
        let (digits, rest) = self.0.split_at_checked(end).ok_or(Otherwise)?;
        // JSON has no sign and no zeros in front.
        let is_plain = digits.starts_with(|first: char| first.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        let number = digits.parse().ok().filter(|_| is_plain);
        self.go_on(rest)?;
        number.map(Some).ok_or(Otherwise)
    }

    /// A member that is written where it is true.
    fn holds(&mut self, name: &str) -> Result<bool, Otherwise> {
        match self.next(name) {
            Next::Absent => return Ok(false),
            Next::Null => return Err(Otherwise),
            Next::Value => {}
        }
        self.go_on(self.0.strip_prefix("true").ok_or(Otherwise)?)?;
        Ok(true)
    }

    /// An object that may be absent: the general reader's.
    fn object<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Otherwise> {
        match self.next(name) {
            Next::Absent | Next::Null => return Ok(None),
            Next::Value => {}
        }
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter();
        let value = values.next().and_then(Result::ok).ok_or(Otherwise)?;
        let (_, rest) = (self.0.split_at_checked(values.byte_offset())).ok_or(Otherwise)?;
        self.go_on(rest)?;
        Ok(Some(value))
    }
}

/// A text in quotes without an escape, and what is behind it.
fn quoted(text: &str) -> Option<(Text<'_>, &str)> {
    let text = text.strip_prefix('"')?;
    let end = memchr2(b'"', b'\\', text.as_bytes())?;
    let (text, rest) = text.split_at_checked(end)?;
    Some((Text::borrowed(text), rest.strip_prefix('"')?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WRITTEN: &str = r#"{"time":"2026-11-23T12:00:00.123Z","decision":"deny","mode":"enforce","reason":"role_lacks_scope","claim":"c","claim_fault":"wrong_type","decision_id":"d","request_id":null,"trace_id":"t","host":"h","method":"POST","path":"/é","operation":"jobs.run-now","required_scopes":["jobs"],"mcp":{"method":"m","name":"n","version":null},"token_scopes":["jobs","sql"],"role_grants":[],"effective_scopes":[],"rule":null,"roles":["a","b"],"issuer":"i","subject":"s","client":"c","actor":"x","earlier_actors":["y"],"token_id":"t","token_expires_at":1795436400,"token_lifetime":0,"offline_access":true,"credential":"jwt","credential_fingerprint":"f","credential_leaked":true,"unverified":{"issuer":"i","subject":null,"audiences":["a"]},"inputs":{"groups":["g"],"roles":[],"claims":{"a":[1]}},"workspace":"1","exchanged_scope":"all-apis","exchange_error":"e","source_ip":"10.0.0.1","user_agent":"u","worker":"w","sequence":18446744073709551615,"config":"c"}"#;

    fn general(line: &str) -> Option<String> {
        let record = serde_json::from_str::<Record<'_>>(line).ok()?;
        Some(format!("{record:?}"))
    }

    #[test]
    fn every_member_is_read_as_the_general_reader_does() {
        let found = read(WRITTEN).map(|record| format!("{record:?}"));
        assert!(found.is_some());
        assert_eq!(found, general(WRITTEN));
        // Each of the members may be absent, unless records without it are broken.
        let (_, members) = WRITTEN.split_once(',').unwrap();
        for member in members.trim_end_matches('}').split(",\"").skip(1) {
            let without = WRITTEN.replace(&format!(",\"{member}"), "");
            let found = read(&without).map(|record| format!("{record:?}"));
            assert!(found.is_none() || found == general(&without), "{member}");
        }
    }

    #[test]
    fn what_is_written_otherwise_is_left_to_the_general_reader() {
        #[rustfmt::skip]
        let cases = [
            // name                       instead of                  this
            ("an escape",                 "\"h\"",                    r#""a\"b""#),
            ("a control character",       "\"h\"",                    "\"a\tb\""),
            ("another order",             "\"deny\",\"mode\":\"enforce\"", "\"deny\",\"host\":\"h\",\"mode\":\"enforce\""),
            ("a member twice",            "\"host\":\"h\"",           "\"host\":\"h\",\"host\":\"h\""),
            ("a new member",              "\"config\":\"c\"",         "\"config\":\"c\",\"later\":1"),
            ("a space",                   "\"mode\":",                "\"mode\": "),
            ("zeros in front",            ":1795436400",              ":01795436400"),
            ("a fraction",                ":1795436400",              ":1795436400.0"),
            ("a negative number",         ":1795436400",              ":-1"),
            ("too large a number",        ":18446744073709551615",    ":18446744073709551616"),
            ("no number",                 ":1795436400",              ":"),
            ("no list",                   "[\"a\",\"b\"]",            "null"),
            ("another type",              "\"subject\":\"s\"",        "\"subject\":1"),
            ("an unknown decision",       "\"deny\"",                 "\"perhaps\""),
            ("not leaked",                "\"credential_leaked\":true", "\"credential_leaked\":false"),
            ("a comma too many",          "[\"a\",\"b\"]",            "[\"a\",\"b\",]"),
            ("no comma",                  "[\"a\",\"b\"]",            "[\"a\"\"b\"]"),
            ("more behind it",            "\"config\":\"c\"}",        "\"config\":\"c\"} "),
        ];
        for (name, old, new) in cases {
            assert!(WRITTEN.contains(old), "{name}");
            assert!(read(&WRITTEN.replace(old, new)).is_none(), "{name}");
        }
    }

    proptest! {
        /// Whatever becomes of a line: what is read is what the general reader reads.
        #[test]
        fn no_damage_is_read_otherwise(at in 0..WRITTEN.len(), cut in 0..40_usize, with in "[a-z0-9\",:{}\\[\\]\\\\ ]{0,6}") {
            let (head, rest) = WRITTEN.split_at(WRITTEN.floor_char_boundary(at));
            let tail = rest.get(rest.floor_char_boundary(cut)..).unwrap_or_default();
            let line = [head, &with, tail].concat();
            if let Some(record) = read(&line) {
                prop_assert_eq!(Some(format!("{record:?}")), general(&line));
            }
        }
    }
}
