//! What was promised, and whether it holds.

use crate::extras::Extras;
use crate::measure::{Measured, minimum};

/// One promise.
pub(crate) struct Target {
    /// What is compared.
    pub(crate) what: &'static str,
    /// What it came to; `None` where it was not measured.
    pub(crate) value: Option<f64>,
    /// What it would come to for a module that makes the host calls and nothing else; `None` where
    /// that means nothing, or was not measured.
    pub(crate) calls_alone: Option<f64>,
    /// What it may come to.
    pub(crate) limit: f64,
    /// The unit; none for a ratio.
    pub(crate) unit: &'static str,
}

impl Target {
    /// Whether it holds.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.value {
            None => "not measured",
            Some(value) if value <= self.limit => "yes",
            Some(_) => "**no**",
        }
    }

    /// The value as the table shows it.
    pub(crate) fn shown(&self) -> String {
        self.written(self.value)
    }

    /// The same of [`Self::calls_alone`].
    pub(crate) fn calls_alone_shown(&self) -> String {
        self.written(self.calls_alone)
    }

    fn written(&self, value: Option<f64>) -> String {
        match value {
            None => "-".to_owned(),
            Some(value) if self.unit.is_empty() => format!("{value:.2}"),
            Some(value) => format!("{value:.2} {}", self.unit),
        }
    }
}

/// Every promise. Ratios are of one run, of the smallest values.
pub(crate) fn targets(measured: &[Measured], extras: Option<&Extras>) -> Vec<Target> {
    let cost = |id: &str| {
        let row = measured.iter().find(|measured| measured.row.id == id);
        row.map(|measured| minimum(&measured.worker))
    };
    let quotient = |over: &str, under: &str| {
        let costs = cost(over).zip(cost(under));
        costs.map(|(over, under)| over / under)
    };
    let ratio = |what, over: &str, under: &str, limit| Target {
        what,
        value: quotient(over, under),
        calls_alone: calls_of(over).and_then(|calls| quotient(calls, under)),
        limit,
        unit: "",
    };
    let absolute = |what, value: Option<f64>, limit, unit| Target {
        what,
        value,
        calls_alone: None,
        limit,
        unit,
    };
    let of_a_worker = |id: &str| {
        let rows = &extras?.memory_of_a_worker;
        let (_, bytes) = rows.iter().find(|(other, _)| *other == id)?;
        Some(mebibytes(*bytes))
    };
    let start = extras.map(|extras| {
        let [alone, ours] = extras.start;
        (ours.as_secs_f64() - alone.as_secs_f64()) * 1e3
    });
    let module = extras.map(|extras| mebibytes(extras.module) * 1024.0);
    #[rustfmt::skip]
    let targets = vec![
        ratio("ours, 10 tokens ÷ a module that makes the same host calls and decides nothing", "ours-warm", "calls", 1.10),
        ratio("ours, every token new ÷ the same with a verified signature", "ours-new", "calls-verify", 1.20),
        ratio("ours, an expired token again and again ÷ the same with a reply", "ours-expired", "calls-refuse", 1.10),
        ratio("ours, 10 tokens ÷ the same job by Envoy's filters at their best: `jwt_authn` cached + RBAC matcher tree + JSON access log", "ours-warm", "tree-log", 0.80),
        ratio("ours, every token new ÷ `jwt_authn` without cache + RBAC matcher tree + JSON access log", "ours-new", "tree-log-uncached", 0.88),
        ratio("ours, an expired token again and again ÷ `jwt_authn`, the same", "ours-expired", "jwt-expired", 0.90),
        ratio("ours, 8 workers ÷ 1 worker", "ours-8-workers", "ours-warm", 1.10),
        ratio("ours, 10 tokens ÷ `jwt_authn` cached + RBAC list", "ours-warm", "list", 0.35),
        ratio("ours, 10 tokens that are exchanged ÷ 10 that are not", "ours-exchange", "ours-warm", 1.30),
        ratio("ours, 10,000 tokens ÷ 10 tokens", "ours-many", "ours-warm", 1.10),
        ratio("ours, 10,000 rules beside the catalogue ÷ 10 rules", "ours-10k-rules", "ours-10-rules", 1.20),
        ratio("ours, 1,000 groups and 1,000 roles ÷ 1 group and 1 role", "ours-1000-groups", "ours-1-group", 1.50),
        ratio("ours, 1,000 roles held ÷ 1 role held", "ours-1000-held", "ours-1-group", 1.50),
        absolute("memory of each further worker with 10,000 tokens", of_a_worker("ours-many"), 14.0, "MiB"),
        absolute("the module", module, 700.0, "KiB"),
        absolute("start to first answer, over Envoy alone", start, 450.0, "ms"),
    ];
    targets
}

/// The row of the module that makes the host calls of this one, and nothing else.
fn calls_of(id: &str) -> Option<&'static str> {
    match id {
        "ours-warm" => Some("calls"),
        "ours-new" => Some("calls-verify"),
        "ours-expired" => Some("calls-refuse"),
        _ => None,
    }
}

/// So many bytes in MiB, to the KiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}
