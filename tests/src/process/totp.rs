//! Codes from a TOTP implementation that isn't ours: oathtool where it is installed, else totp-rs.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use totp_rs::{Algorithm, Builder, Secret};

/// The code of `setup_key` (base32) `ahead` steps of 30 s from now. Codes are good once: a test that needs a second
/// one at once takes the next step's, which the ±1 step window admits.
///
/// # Panics
/// When the key isn't base32.
#[must_use]
pub fn code(setup_key: &str, ahead: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() + 30 * ahead;
    let outside = Command::new("oathtool").args(["--totp", "-b", setup_key, "-N", &format!("@{now}")]).output();
    match outside {
        Ok(o) if o.status.success() => String::from_utf8_lossy(&o.stdout).trim().to_owned(),
        _ => ours(setup_key, now),
    }
}

fn ours(setup_key: &str, now: u64) -> String {
    let secret = Secret::try_from_base32(setup_key).expect("base32");
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_secret(secret)
        .build()
        .expect("a TOTP")
        .generate(now)
        .to_string()
}
