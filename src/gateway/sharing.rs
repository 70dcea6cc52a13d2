//! Keys shared between workers: what the key store says goes into the host's shared data, and what
//! is there comes back.

use crate::config::Configuration;
use crate::issuer::IssuerIndex;
use crate::time::UnixTime;

use super::active::Active;
use super::host::{Host, Unshared};
use super::metrics::KeyEvent;

/// Whether what other workers share may be taken for an issuer's keys. Whoever can write there can
/// sign.
pub(super) fn is_safe(configuration: &Configuration, host: &dyn Host) -> bool {
    if !configuration.share_keys {
        return false;
    }
    let is_open_to_others = host.shares_with_strangers();
    if is_open_to_others {
        log::warn!(
            "keys: this worker fetches them for itself, because this plugin has no `vm_id`, and other plugins without one could share keys of their own with it"
        );
    }
    !is_open_to_others
}

impl Active {
    /// Looks, for every issuer for which it is time, what the other workers know, and publishes to
    /// them what this one does.
    pub(super) fn consult(&mut self, host: &dyn Host, now: UnixTime) {
        let issuers = self.configuration.authorizer.issuers.len();
        for issuer in (0..issuers).map(IssuerIndex) {
            if let Err(Unshared(status)) = self.consult_for(issuer, host, now) {
                self.keys.stop_sharing(issuer);
                self.metrics.count_keys(KeyEvent::Unshared, issuer);
                log::warn!(
                    "keys of `{}`: this worker fetches them for itself, because the gateway's shared data cannot be used (status {status}): is it allowed by `capability_restriction_config`?",
                    self.issuer(issuer)
                );
            }
        }
    }

    fn consult_for(
        &mut self,
        issuer: IssuerIndex,
        host: &dyn Host,
        now: UnixTime,
    ) -> Result<(), Unshared> {
        for _ in 0..TRIES {
            let Some(name) = self.keys.slot(issuer, now).map(str::to_owned) else {
                return Ok(());
            };
            let (value, version) = host.shared_value(&name)?.unzip();
            let consulted = self.keys.consult(issuer, value.as_deref(), now);
            if consulted.took {
                self.metrics.count_keys(KeyEvent::Shared, issuer);
            }
            let Some(write) = consulted.write else {
                return Ok(());
            };
            let made = host.share_value(&name, &write, version)?;
            self.keys.on_written(issuer, made);
            if !self.keys.is_sharing(issuer) {
                return Err(ALWAYS_OVERTAKEN);
            }
        }
        Ok(())
    }
}

/// One to publish the outcome of a fetch, one to find the next lease, and the rest for others that
/// are faster; then comes another tick.
const TRIES: usize = 4;

/// The host's own word for a value that somebody else has written meanwhile.
const ALWAYS_OVERTAKEN: Unshared = Unshared(8);
