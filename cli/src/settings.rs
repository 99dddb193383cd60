//! From arguments and environment to settings: a pure function, so that a table can test it.

use std::path::PathBuf;

use url::Url;

use crate::args::{ColorWhen, Common};
use crate::exit::{Exit, Failure};

/// What of the environment matters here. Filled by `main`, by tests from a table.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `LIVECHAT_DATA_DIR`.
    pub data_dir: Option<PathBuf>,
    /// `XDG_DATA_HOME`.
    pub xdg_data_home: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `LIVECHAT_RELAY`.
    pub relay: Option<String>,
    /// Whether `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// Whether `TERM` is `dumb`.
    pub dumb: bool,
    /// Whether standard input is a terminal.
    pub stdin_tty: bool,
    /// Whether standard output is a terminal.
    pub stdout_tty: bool,
    /// Columns of the terminal.
    pub columns: Option<u16>,
}

/// What every verb needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the node lives.
    pub data_dir: PathBuf,
    /// The relay named now; none means the remembered one.
    pub relay: Option<Url>,
    /// One JSON object per line.
    pub json: bool,
    /// Colours.
    pub colour: bool,
    /// Columns, when standard output is a terminal.
    pub columns: Option<usize>,
    /// Whether a person sits there: both ends are a terminal that can move its cursor.
    pub interactive: bool,
    /// What `~/` stands for where a path is typed.
    pub home: Option<PathBuf>,
}

impl Settings {
    /// Flags win over environment, environment over defaults.
    ///
    /// # Errors
    /// No place for the data, or a relay address that isn't one.
    pub fn from(common: &Common, environment: &Environment) -> Result<Self, Failure> {
        let data_dir = [common.data_dir.clone(), environment.data_dir.clone()]
            .into_iter()
            .flatten()
            .find(|d| !d.as_os_str().is_empty())
            .or_else(|| {
                // The XDG rule: a relative path is to be ignored.
                let xdg = environment.xdg_data_home.clone().filter(|d| d.is_absolute());
                xdg.or_else(|| environment.home.as_ref().map(|h| h.join(".local/share"))).map(|d| d.join("livechat"))
            })
            .ok_or_else(|| {
                Failure::new(
                    Exit::Usage,
                    "There is no home directory to keep the node in.",
                    "Say where with --data-dir or LIVECHAT_DATA_DIR.",
                )
            })?;
        let relay = common
            .relay
            .as_deref()
            .or(environment.relay.as_deref())
            .filter(|r| !r.trim().is_empty())
            .map(relay_url)
            .transpose()?;
        let colour = match common.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => environment.stdout_tty && !environment.no_color && !environment.dumb,
        };
        Ok(Self {
            data_dir,
            relay,
            json: common.json,
            colour,
            columns: environment.columns.filter(|c| *c > 0 && environment.stdout_tty).map(usize::from),
            interactive: environment.stdin_tty && environment.stdout_tty && !environment.dumb && !common.json,
            home: environment.home.clone(),
        })
    }
}

/// Reads a relay's address; `relay.example.org` means https, a loopback host http.
///
/// # Errors
/// Something that isn't an http or https address.
pub fn relay_url(text: &str) -> Result<Url, Failure> {
    let text = text.trim();
    let local = ["localhost", "127.", "[::1]"].iter().any(|l| text.starts_with(l));
    let full = match text.split_once("://") {
        Some(_) => text.to_owned(),
        None if local => format!("http://{text}"),
        None => format!("https://{text}"),
    };
    Url::parse(&full).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host()).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("`{text}` is not a relay's address."),
            "It looks like https://relay.example.org, or http://127.0.0.1:8080 on this machine.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tty() -> Environment {
        Environment {
            home: Some("/home/a".into()),
            stdin_tty: true,
            stdout_tty: true,
            columns: Some(80),
            ..Environment::default()
        }
    }

    #[test]
    fn the_data_directory_is_found_in_order() {
        let flag = Common { data_dir: Some("/flag".into()), ..Common::default() };
        let none = Common::default();
        let full = Environment { data_dir: Some("/env".into()), xdg_data_home: Some("/xdg".into()), ..tty() };
        let table = [
            (&flag, full.clone(), "/flag"),
            (&none, full.clone(), "/env"),
            (&none, Environment { data_dir: Some("".into()), ..full.clone() }, "/xdg/livechat"),
            (
                &none,
                Environment { data_dir: None, xdg_data_home: Some("relative".into()), ..full },
                "/home/a/.local/share/livechat",
            ),
            (&none, tty(), "/home/a/.local/share/livechat"),
        ];
        for (common, environment, expected) in table {
            assert_eq!(Settings::from(common, &environment).unwrap().data_dir, PathBuf::from(expected));
        }
        let homeless = Settings::from(&none, &Environment::default()).unwrap_err();
        assert_eq!(homeless.code, Exit::Usage);
    }

    #[test]
    fn colours_follow_terminal_and_wish() {
        let with = |color, environment: Environment| {
            Settings::from(&Common { color, ..Common::default() }, &environment).unwrap().colour
        };
        assert!(with(ColorWhen::Auto, tty()));
        assert!(!with(ColorWhen::Auto, Environment { no_color: true, ..tty() }));
        assert!(!with(ColorWhen::Auto, Environment { dumb: true, ..tty() }));
        assert!(!with(ColorWhen::Auto, Environment { stdout_tty: false, ..tty() }));
        assert!(with(ColorWhen::Always, Environment { no_color: true, stdout_tty: false, ..tty() }));
        assert!(!with(ColorWhen::Never, tty()));
    }

    #[test]
    fn a_person_sits_there_only_at_two_terminal_ends() {
        let with = |environment: Environment| Settings::from(&Common::default(), &environment).unwrap().interactive;
        assert!(with(tty()));
        assert!(!with(Environment { stdin_tty: false, ..tty() }));
        assert!(!with(Environment { stdout_tty: false, ..tty() }));
        assert!(!with(Environment { dumb: true, ..tty() }));
    }

    #[test]
    fn relay_addresses() {
        let table = [
            ("https://relay.example.org", Some("https://relay.example.org/")),
            ("relay.example.org", Some("https://relay.example.org/")),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080/")),
            ("localhost:8080", Some("http://localhost:8080/")),
            (" http://[::1]:9/ ", Some("http://[::1]:9/")),
            ("ftp://x", None),
            ("mongodb://x", None),
            ("http://", None),
            ("not an address", None),
        ];
        for (text, expected) in table {
            assert_eq!(relay_url(text).ok().map(String::from).as_deref(), expected, "{text}");
        }
        let unset = Common { relay: Some("  ".into()), ..Common::default() };
        assert_eq!(Settings::from(&unset, &tty()).unwrap().relay, None);
    }
}
