//! What an explanation says of caller and request besides: the same for machines as for people.

use std::collections::BTreeMap;

use databricks_oam_filter::authorize::Decision;
use databricks_oam_filter::issuer::access_token::{AccessToken, Groups};
use databricks_oam_filter::request::credential::{CredentialKind, Scheme};
use databricks_oam_filter::request::envelope::Envelope;
use databricks_oam_filter::token::jws::UnverifiedClaims;

use crate::cli::gateway::{Gateway, Request};

/// The facts, by name.
pub(super) fn of(
    gateway: &Gateway,
    decision: &Decision<'_>,
    request: &Request,
) -> BTreeMap<&'static str, String> {
    let evidence = &decision.evidence;
    let envelope = Envelope::of(&request.headers, None);
    let mut facts = BTreeMap::from([
        ("method", envelope.method().to_string()),
        ("path", envelope.path().to_string()),
        ("at", request.now.to_string()),
    ]);
    let mut add = |name, value: Option<String>| {
        facts.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| (name, value)),
        );
    };
    add(
        "credential",
        evidence
            .credential
            .map(|kind| CredentialKind::as_str(kind).to_owned()),
    );
    add("fingerprint", evidence.fingerprint.clone());
    add("leaked", evidence.leaked.then(|| "revoke it".to_owned()));
    add(
        "signature",
        request
            .filled
            .as_ref()
            .map(|_| "not checked: claims alone".to_owned()),
    );
    add(
        "filled_in",
        request.filled.as_ref().map(|filled| filled.join(" ")),
    );
    add("unverified", evidence.unverified.as_deref().map(claimed));
    add(
        "workspace",
        evidence.workspace.map(|workspace| workspace.to_string()),
    );
    add(
        "withdrawal_list",
        gateway
            .withdrawal_list
            .as_ref()
            .map(|list| format!("{} was not asked", list.uri)),
    );
    if let Some(token) = &evidence.token {
        of_token(token, &mut add);
        let proof = evidence.scheme == Scheme::Dpop;
        add("dpop_proof", proof.then(|| "taken for new".to_owned()));
    }
    facts
}

/// What a valid token says of its caller.
fn of_token(token: &AccessToken, add: &mut impl FnMut(&'static str, Option<String>)) {
    let text = |text: &str| Some(text.to_owned());
    add("issuer", text(&token.issuer));
    add("subject", token.subject.as_deref().and_then(text));
    add("client", token.client.as_deref().and_then(text));
    add("actor", token.actor.as_deref().and_then(text));
    add("earlier_actors", Some(token.earlier_actors.join(" ")));
    add("issuer_roles", Some(token.roles.join(" ")));
    let groups = match &token.groups {
        Groups::Known(groups) => groups.join(" "),
        Groups::Unknown => "too many for the token".to_owned(),
    };
    add("groups", Some(groups));
}

/// What a token says of itself.
pub(super) fn claimed(claims: &UnverifiedClaims) -> String {
    let subject = claims.subject.as_deref().unwrap_or("none");
    let audiences = claims.audiences.join(", ");
    format!(
        "issuer `{}`, subject `{subject}`, audiences `{audiences}`",
        claims.issuer
    )
}
