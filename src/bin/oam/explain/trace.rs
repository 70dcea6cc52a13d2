//! An explanation as people read it.

use std::fmt::Write as _;

use databricks_oam_filter::answer::Answer;
use databricks_oam_filter::authorize::evidence::Evidence;
use databricks_oam_filter::authorize::{Decision, Verdict};
use databricks_oam_filter::databricks::{Mark, Operation};
use databricks_oam_filter::issuer::access_token::{AccessToken, Groups};
use databricks_oam_filter::request::credential::{CredentialKind, Scheme};
use databricks_oam_filter::request::envelope::Envelope;

use super::{Explanation, RuleReading, facts};
use crate::cli::gateway::{Gateway, Request};
use crate::cli::style;

/// The explanation for people.
pub(super) struct Trace<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) request: &'a Request,
    pub(super) decision: &'a Decision<'a>,
    pub(super) explanation: &'a Explanation,
}

impl Trace<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let Explanation {
            status,
            reason,
            mode,
            ..
        } = self.explanation;
        let envelope = Envelope::of(&self.request.headers, None);
        let verdict = match &self.decision.verdict {
            Verdict::Allow(_) => style::good("ALLOW"),
            Verdict::Describe(_) | Verdict::Introduce(_) => style::good("ANSWERED HERE"),
            Verdict::Return(_) => style::good("ANSWERED HERE (with the caller's own token)"),
            Verdict::Deny(_) => style::bad(format!("DENY {status}")),
            Verdict::Shadow(..) => style::warning("DENY (shadow mode: it goes upstream)"),
        };
        let _ = writeln!(
            text,
            "{verdict} {reason}: {} {}",
            envelope.method(),
            envelope.path()
        );
        if let Some(message) = &self.explanation.message {
            let _ = writeln!(text, "{message}");
        }
        if let Verdict::Describe(metadata) = &self.decision.verdict {
            let _ = writeln!(text, "{}", Answer::describing(metadata).body);
        }
        text.push('\n');
        self.caller(&mut text);
        self.requirement(&mut text);
        if let Some(scope) = self.explanation.exchanged_scope {
            let exchange =
                format!("for a token of Databricks' with `{scope}`, if Databricks agrees");
            line(&mut text, "exchanged", &exchange);
        }
        line(&mut text, "mode", mode);
        line(&mut text, "at", &self.request.now.to_string());
        for remedy in &self.explanation.advice {
            line(&mut text, "allowed by", remedy);
        }
        if let Some(decided) = self.explanation.facts.get("recorded") {
            line(&mut text, "recorded", decided);
        }
        for unknown in &self.explanation.not_recorded {
            line(&mut text, "not recorded", unknown);
        }
        text
    }

    fn credential(&self, text: &mut String) {
        let evidence = &self.decision.evidence;
        let kind = evidence
            .credential
            .map_or("not read", CredentialKind::as_str);
        match &self.request.filled {
            Some(filled) if filled.is_empty() => line(
                text,
                "credential",
                &format!("{kind}: claims alone, no signature was checked"),
            ),
            Some(filled) => line(
                text,
                "credential",
                &format!(
                    "{kind}: claims alone, no signature was checked; filled in: {}",
                    filled.join(", ")
                ),
            ),
            None => line(text, "credential", kind),
        }
        if let (Scheme::Dpop, Some(_)) = (evidence.scheme, &evidence.token) {
            let unseen = "taken for new: a gateway refuses one that it has seen";
            line(text, "DPoP proof", unseen);
        }
        if let Some(fingerprint) = &evidence.fingerprint {
            line(text, "fingerprint", fingerprint);
        }
        if evidence.leaked {
            line(
                text,
                "leaked",
                "revoke it: it was shown where it has no business",
            );
        }
    }

    fn caller(&self, text: &mut String) {
        let evidence = &self.decision.evidence;
        self.credential(text);
        if let Some(unverified) = &evidence.unverified {
            let claimed = format!(
                "by its own word, which nobody verified: {}",
                facts::claimed(unverified)
            );
            line(text, "token", &claimed);
        }
        if let Some(token) = &evidence.token {
            claims(token, text);
            self.withdrawal_list(text);
        }
        if let Some(workspace) = evidence.workspace {
            line(text, "workspace", &workspace.to_string());
        }
        let Explanation {
            roles,
            token_scopes,
            role_grants,
            effective_scopes,
            ..
        } = self.explanation;
        if evidence.effective_access.is_none() {
            return;
        }
        let policy = &self.gateway.authorizer.policy;
        if !policy.roles.is_empty() {
            line(text, "roles", &list(roles));
            for (role, why) in &self.explanation.roles_not_held {
                line(text, "", &style::dim(format!("not {role}: {why}")));
            }
        }
        match evidence.token.as_ref().map(|token| &token.scopes) {
            Some(None) => line(
                text,
                "token scopes",
                "not read: this issuer's callers get what their roles grant",
            ),
            _ => line(text, "token scopes", &list(token_scopes)),
        }
        if !policy.roles.is_empty() {
            line(text, "role grants", &list(role_grants));
        }
        line(text, "effective", &list(effective_scopes));
    }

    fn withdrawal_list(&self, text: &mut String) {
        if let Some(list) = &self.gateway.withdrawal_list {
            let unknown = format!(
                "looked up in the configuration alone: {} was not asked",
                list.uri
            );
            line(text, "withdrawn", &unknown);
        }
    }

    fn requirement(&self, text: &mut String) {
        let evidence: &Evidence<'_> = &self.decision.evidence;
        if let Some(rule) = &self.explanation.rule {
            line(text, "rule", rule);
        }
        let sent = Envelope::of(&self.request.headers, None).path();
        for (number, RuleReading { rule, path }) in self.explanation.readings.iter().enumerate() {
            let how = if **path == *sent {
                "as it was sent".to_owned()
            } else {
                format!("read as {path}")
            };
            let decides = self.explanation.rule.as_ref() == Some(rule);
            let decides = if decides { ", decides" } else { "" };
            let name = if number == 0 { "applies" } else { "" };
            line(text, name, &format!("{rule}: {how}{decides}"));
        }
        if let Some(operation) = evidence.operation {
            let Operation {
                name,
                method,
                template,
                access,
                level,
                marks,
                ..
            } = operation;
            let marks: Vec<&str> = marks.iter().map(Mark::as_str).collect();
            let marks = if marks.is_empty() {
                String::new()
            } else {
                format!(", {}", marks.join(", "))
            };
            line(
                text,
                "operation",
                &format!("{name} ({}, {}{marks})", access.as_str(), level.as_str()),
            );
            line(text, "", &style::dim(format!("{method} {template}")));
        } else if self.explanation.rule.is_none() {
            line(text, "operation", "none that is known");
        }
        line(text, "needs", &list(&self.explanation.required_scopes));
    }
}

fn claims(token: &AccessToken, text: &mut String) {
    line(text, "issuer", &token.issuer);
    let groups = match &token.groups {
        Groups::Known(groups) => groups.join(" "),
        Groups::Unknown => {
            "too many for the token, so none count: assign roles in the issuer instead".to_owned()
        }
    };
    for (name, value) in [
        ("subject", token.subject.as_deref().unwrap_or_default()),
        ("client", token.client.as_deref().unwrap_or_default()),
        ("actor", token.actor.as_deref().unwrap_or_default()),
        ("earlier actors", &token.earlier_actors.join(" ")),
        ("groups", &groups),
        ("issuer's roles", &token.roles.join(" ")),
    ] {
        if !value.is_empty() {
            line(text, name, value);
        }
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<15} {value}");
}

fn list(texts: &[String]) -> String {
    if texts.is_empty() {
        "nothing".to_owned()
    } else {
        texts.join(" ")
    }
}
