//! Whose requests are counted together.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::records::{Record, Text, shown};
use super::names::{Name, Names};

/// Whoever a record is about, as far as it says.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Who {
    /// A verified token's.
    Person(Person),
    /// The bearer of a static token, by its fingerprint.
    StaticToken(Box<str>),
    /// A refused token's subject and issuer, which nobody verified.
    Claimed(Box<str>, Box<str>),
    /// Nobody who says who they are, from this address.
    Address(Box<str>),
}

/// Who a verified token was issued to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Person {
    pub(super) issuer: Name,
    pub(super) subject: Name,
    pub(super) client: Name,
}

/// Who, in a report.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) struct Caller {
    /// How much of it was verified.
    pub(super) kind: CallerKind,
    /// The subject of a token, the fingerprint of a static token, or an address.
    pub(super) name: String,
    /// The client to which the token was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<String>,
    /// The issuer of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<String>,
}

/// How much is known of a caller.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CallerKind {
    /// A verified token says so.
    Verified,
    /// A static token, which nobody here can verify.
    StaticToken,
    /// A refused token says so; anybody can write that.
    Unverified,
    /// No token: an address.
    Anonymous,
}

impl Person {
    /// `None` where the record has no verified caller.
    pub(super) fn of(record: &Record<'_>, names: &mut Names) -> Option<Self> {
        record.issuer.as_ref()?;
        Some(Self {
            issuer: names.of_optional(record.issuer.as_ref()),
            subject: names.of_optional(record.subject.as_ref()),
            client: names.of_optional(record.client.as_ref()),
        })
    }

    /// The caller in a report.
    pub(super) fn caller(self, names: &Names) -> Caller {
        let subject = names.optional(self.subject);
        Caller {
            kind: CallerKind::Verified,
            name: subject.unwrap_or_else(|| names.text(self.client).to_owned()),
            client: names.optional(self.client),
            issuer: names.optional(self.issuer),
        }
    }
}

impl Who {
    pub(super) fn of(record: &Record<'_>, names: &mut Names) -> Self {
        let boxed =
            |text: Option<&Text<'_>>| -> Box<str> { shown(text.map_or("", Text::as_str)).into() };
        if let Some(person) = Person::of(record, names) {
            return Self::Person(person);
        }
        if record.credential_fingerprint.is_some() {
            return Self::StaticToken(boxed(record.credential_fingerprint.as_ref()));
        }
        match &record.unverified {
            Some(claimed) => Self::Claimed(
                boxed(claimed.subject.as_ref()),
                boxed(claimed.issuer.as_ref()),
            ),
            None => Self::Address(boxed(record.source_ip.as_ref())),
        }
    }

    /// The caller in a report.
    pub(super) fn caller(&self, names: &Names) -> Caller {
        let (kind, name, issuer) = match self {
            Self::Person(person) => return person.caller(names),
            Self::StaticToken(fingerprint) => (CallerKind::StaticToken, fingerprint, None),
            Self::Claimed(subject, issuer) => {
                (CallerKind::Unverified, subject, Some(issuer.to_string()))
            }
            Self::Address(address) => (CallerKind::Anonymous, address, None),
        };
        Caller {
            kind,
            name: name.to_string(),
            client: None,
            issuer,
        }
    }
}

impl Caller {
    /// On one line.
    pub(super) fn line(&self) -> String {
        let name = &self.name;
        match self.kind {
            CallerKind::Verified => match &self.client {
                Some(client) if client != name => format!("{name} by {client}"),
                _ => name.clone(),
            },
            CallerKind::StaticToken => format!("static token {name}"),
            CallerKind::Unverified if name.is_empty() => "unverified: no subject".to_owned(),
            CallerKind::Unverified => format!("unverified: {name}"),
            CallerKind::Anonymous if name.is_empty() => "nobody known".to_owned(),
            CallerKind::Anonymous => format!("from {name}"),
        }
    }
}
