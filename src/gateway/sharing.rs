//! Keys shared between workers: carries what the key store says to its place in the host's shared data, and what is there back.

use host_calls::shared_data::Unshared;

use crate::config::Configuration;
use crate::key_store::IssuerIndex;
use crate::time::UnixTime;

use super::host;
use super::worker::Worker;

/// Whether what other workers share may be taken for an issuer's keys. Whoever can write there can sign.
pub(super) fn may_be_trusted(configuration: &Configuration) -> bool {
    if !configuration.share_keys {
        return false;
    }
    let is_open_to_others = host::has_empty_vm_id();
    if is_open_to_others {
        log::warn!(
            "keys: this worker fetches them for itself, because this plugin has no `vm_id`, and other plugins without one could share keys of their own with it"
        );
    }
    !is_open_to_others
}

/// Looks, for every issuer for which it is time, what the other workers know, and tells them what this one does.
pub(super) fn consult(worker: &Worker, now: UnixTime) {
    for issuer in (0..worker.issuers()).map(IssuerIndex) {
        if let Err(Unshared(status)) = consult_for(worker, issuer, now) {
            worker.keys.borrow_mut().stop_sharing(issuer);
            warn(worker, issuer, status);
        }
    }
}

fn consult_for(worker: &Worker, issuer: IssuerIndex, now: UnixTime) -> Result<(), Unshared> {
    for _ in 0..TRIES {
        let name = (worker.keys.borrow().slot(issuer, now)).map(str::to_owned);
        let Some(name) = name else {
            return Ok(());
        };
        let (value, version) = host::shared_value(&name)?.unzip();
        let consulted = (worker.keys.borrow_mut()).consult(issuer, value.as_deref(), now);
        if consulted.took {
            worker.metrics.took(issuer);
        }
        let Some(write) = consulted.write else {
            return Ok(());
        };
        let made = host::share_value(&name, &write, version)?;
        let mut keys = worker.keys.borrow_mut();
        keys.on_written(issuer, made);
        if !keys.is_sharing(issuer) {
            return Err(ALWAYS_OVERTAKEN);
        }
    }
    Ok(())
}

fn warn(worker: &Worker, issuer: IssuerIndex, status: u32) {
    worker.metrics.unshared(issuer);
    log::warn!(
        "keys of `{}`: this worker fetches them for itself, because the gateway's shared data cannot be used (status {status}): is it allowed by `capability_restriction_config`?",
        worker.issuer(issuer)
    );
}

/// One to tell what came of a fetch, one to find the next lease, and the rest for others that are faster; then comes another tick.
const TRIES: usize = 4;

/// The host's own word for a value that somebody else has written meanwhile.
const ALWAYS_OVERTAKEN: Unshared = Unshared(8);
