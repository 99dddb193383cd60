//! Under which names this server may be addressed. A rebound DNS name sends neither Origin nor Sec-Fetch-Site: only
//! the Host header tells it from us, so everything starts here.

use std::net::SocketAddr;

/// A name that can't be allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” isn't a host name: letters, digits, dots and hyphens only, without port")]
pub struct BadHost(pub(crate) String);

/// The allowed values of the Host header, port included.
#[derive(Debug, Clone)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Loopback's three names and the `extra` ones, each with the port of `addr`.
    ///
    /// # Errors
    /// An extra name that isn't a host name.
    pub fn new(addr: SocketAddr, extra: &[String]) -> Result<Self, BadHost> {
        let mut names = Vec::with_capacity(extra.len() + 4);
        for name in extra {
            let name = name.to_ascii_lowercase();
            let good = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
            if name.is_empty() || name.len() > 253 || !name.bytes().all(good) {
                return Err(BadHost(name));
            }
            names.push(name);
        }
        // 127.0.0.2 is loopback too, and then how one gets here.
        let own = if addr.is_ipv6() { format!("[{}]", addr.ip()) } else { addr.ip().to_string() };
        for name in [own.as_str(), "127.0.0.1", "localhost", "[::1]"] {
            if !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
        // A browser leaves the default port out.
        let port = if addr.port() == 80 { String::new() } else { format!(":{}", addr.port()) };
        Ok(Self(names.into_iter().map(|n| n + &port).collect()))
    }

    /// Whether a Host header names us.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        self.0.iter().any(|h| h.eq_ignore_ascii_case(host))
    }

    /// The one to print: the first extra name, else the address itself.
    #[must_use]
    pub fn preferred(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(addr: &str, extra: &[&str]) -> Result<Hosts, BadHost> {
        Hosts::new(addr.parse().unwrap(), &extra.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn loopback_and_the_names_given_with_this_port_only() {
        let h = hosts("127.0.0.1:4810", &["Alice.localhost"]).unwrap();
        for good in ["127.0.0.1:4810", "localhost:4810", "LOCALHOST:4810", "[::1]:4810", "alice.localhost:4810"] {
            assert!(h.allow(good), "{good}");
        }
        for bad in ["", "127.0.0.1", "127.0.0.1:4811", "evil.example:4810", "localhost.evil.example:4810", "::1:4810"] {
            assert!(!h.allow(bad), "{bad}");
        }
        assert_eq!(h.preferred(), "alice.localhost:4810");
    }

    #[test]
    fn the_address_itself_comes_first_without_extra_names() {
        assert_eq!(hosts("127.0.0.2:80", &[]).unwrap().preferred(), "127.0.0.2");
        assert_eq!(hosts("[::1]:4810", &[]).unwrap().preferred(), "[::1]:4810");
    }

    #[test]
    fn names_that_arent_any_are_refused() {
        for bad in ["", "a:1", "a b", "a/b", "ä", "*"] {
            assert!(hosts("127.0.0.1:1", &[bad]).is_err(), "{bad}");
        }
    }
}
