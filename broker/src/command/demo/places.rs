//! Where everybody listens, and the directory of everybody's files.
//!
//! Each party has a host of its own under `.localhost`, besides its port: cookies ignore ports, so parties on one host would hide what goes
//! wrong between sites.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::TcpListener;

use super::cast::{EMPLOYERS, SERVICE};
use crate::{command::Stopped, moment, server};

/// The broker's port, unless it is taken or another is asked for.
pub(super) const FIRST_PORT: u16 = 8400;

/// A party's host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// Its host name.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
}

impl Site {
    /// `http://host:port`
    pub(super) fn origin(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// An address there; `path` begins with a slash.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
}

/// Where everybody is.
#[derive(Debug)]
pub(super) struct Places {
    /// The broker.
    pub(super) broker: Site,
    /// The identity providers, in the order of [`EMPLOYERS`].
    pub(super) providers: Vec<Site>,
    /// The service.
    pub(super) service: Site,
    /// The usual ports were taken.
    pub(super) moved: bool,
}

/// Opens a listener for everybody: the broker's, then the providers', then the service's.
///
/// # Errors
/// When a port that was asked for is taken, or this machine gives none.
pub(super) async fn open(asked: Option<u16>) -> Result<(Places, Vec<TcpListener>), Stopped> {
    let mut moved = false;
    let listeners = match asked {
        Some(0) => any_ports().await,
        Some(first) => ports_from(first).await,
        None => match ports_from(FIRST_PORT).await {
            Ok(listeners) => Ok(listeners),
            Err(_) => {
                moved = true;
                any_ports().await
            }
        },
    }?;
    let mut ports = Vec::new();
    for listener in &listeners {
        ports.push(listener.local_addr().map_err(Stopped::could_not)?.port());
    }
    let mut ports = ports.into_iter();
    let mut site = |host: String| {
        ports.next().map(|port| Site { host, port }).ok_or_else(|| Stopped::could_not("a port is missing"))
    };
    let broker = site("broker.localhost".to_owned())?;
    let mut providers = Vec::new();
    for employer in EMPLOYERS {
        providers.push(site(format!("idp.{}", employer.domain))?);
    }
    let service = site(format!("{}.{}", SERVICE.host_label, SERVICE.owner.domain))?;
    Ok((Places { broker, providers, service, moved }, listeners))
}

const PARTIES: u16 = 2 + EMPLOYERS.len() as u16;

async fn ports_from(first: u16) -> Result<Vec<TcpListener>, Stopped> {
    let mut listeners = Vec::new();
    for step in 0..PARTIES {
        let port = first.checked_add(step).ok_or_else(|| {
            Stopped::could_not(format!(
                "--port {first}: there must be {PARTIES} ports from there on; choose a lower one."
            ))
        })?;
        listeners.push(listener(port).await.map_err(|error| {
            Stopped::could_not(format!(
                "Port {port} cannot be listened on: {error}.\nThe demo needs {PARTIES} ports in a row. Choose another first one with --port PORT, or any \
                 with --port 0."
            ))
        })?);
    }
    Ok(listeners)
}

async fn any_ports() -> Result<Vec<TcpListener>, Stopped> {
    let mut listeners = Vec::new();
    for _ in 0..PARTIES {
        let opened = listener(0).await;
        listeners.push(
            opened.map_err(|error| Stopped::could_not(format!("no port can be listened on: {error}")))?,
        );
    }
    Ok(listeners)
}

async fn listener(port: u16) -> std::io::Result<TcpListener> {
    server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// The directory of everybody's files; removed when dropped, unless it was asked for by name.
pub(super) struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    /// Makes it, readable by its owner alone: it holds keys.
    ///
    /// # Errors
    /// When the directory that was asked for holds something, or it cannot be made.
    pub(super) fn make(asked: Option<&Path>) -> Result<Self, Stopped> {
        let path = match asked {
            Some(path) => path.to_owned(),
            None => {
                let random: String =
                    moment::moment().random::<6>().iter().map(|octet| format!("{octet:02x}")).collect();
                std::env::temp_dir().join(format!("sparvidd-demo-{random}"))
            }
        };
        let failed =
            |error: std::io::Error| Stopped::could_not(format!("{} cannot be made: {error}", path.display()));
        if asked.is_some() && fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Stopped::refused(format!(
                "{} holds something already, and nothing is overwritten. Name a new directory, or an empty one.",
                path.display()
            )));
        }
        fs::DirBuilder::new().recursive(asked.is_some()).mode(0o700).create(&path).map_err(failed)?;
        // Absolute, since it is printed and handed on.
        let folder = Self { path: path.canonicalize().map_err(failed)?, is_temporary: asked.is_none() };
        if !folder.is_temporary {
            fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        for inner in ["organisations", "metadata", "state"] {
            fs::create_dir_all(folder.path(inner)).map_err(failed)?;
        }
        Ok(folder)
    }

    /// A file in it.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// The directory itself, to print.
    pub(super) fn root(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When the system refuses it.
    pub(super) fn write(&self, file: &str, contents: &[u8]) -> Result<(), Stopped> {
        let path = self.path(file);
        fs::write(&path, contents)
            .map_err(|error| Stopped::could_not(format!("{} cannot be written: {error}", path.display())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "the demo's files could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;

    #[test]
    fn a_temporary_directory_goes_and_a_named_one_stays() {
        let temporary = Folder::make(None).ok().expect("made");
        let path = temporary.path("");
        assert!(path.join("metadata").is_dir());
        drop(temporary);
        assert!(!path.exists());

        let outer = tempfile::tempdir().expect("a directory");
        let named = outer.path().join("federation");
        drop(Folder::make(Some(&named)).ok().expect("made"));
        assert!(named.join("organisations").is_dir());
        assert!(Folder::make(Some(&named)).is_err(), "it holds something now");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_said_and_not_gone_around() {
        let (places, listeners) = super::open(Some(0)).await.ok().expect("opened");
        assert_eq!(listeners.len(), 5);
        let refused = super::open(Some(places.broker.port)).await.expect_err("taken");
        assert!(refused.message.contains(&places.broker.port.to_string()), "{}", refused.message);
    }
}
