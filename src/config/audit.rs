//! From the section `audit` to where records go.

use crate::audit::host_log::{HostLog, Level};
use crate::audit::settings::{RecordFormat, RecordSettings};
use crate::request::fingerprint::Fingerprints;

use super::document::audit::{Audit, FormatName, LevelName};
use super::problem::{Place, Problems};

impl Audit {
    pub(super) fn settings(&self) -> RecordSettings {
        let level = match self.level {
            LevelName::Info => Level::Info,
            LevelName::Warn => Level::Warn,
            LevelName::Error => Level::Error,
            LevelName::Critical => Level::Critical,
        };
        let required = self.required;
        RecordSettings {
            format: match self.format {
                FormatName::Compact => RecordFormat::Compact,
                FormatName::Ocsf => RecordFormat::Ocsf,
            },
            log: self.log.then_some(HostLog { level, required }),
            inputs: self.inputs,
        }
    }

    #[inline(never)]
    pub(super) fn fingerprints(&self, problems: &mut Problems) -> Fingerprints {
        let key = self.fingerprint_key.as_deref();
        if key.is_some_and(|key| key.len() < FINGERPRINT_KEY_BYTES) {
            problems.add(
                &Place::at("audit.fingerprint_key"),
                format_args!(
                    "shorter than {FINGERPRINT_KEY_BYTES} characters, so it could be guessed: write what `openssl rand -hex 32` prints"
                ),
            );
        }
        Fingerprints::new(key)
    }
}

/// 128 bits, if they are written as hexadecimal digits.
const FINGERPRINT_KEY_BYTES: usize = 32;
