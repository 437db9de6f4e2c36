//! `sparvidd demo`: a whole federation on this machine, with nothing to install.
//!
//! | file | what |
//! |---|---|
//! | `cast.rs` | who takes part: fictional organisations and people, and one service |
//! | `documents.rs` | the files that they are registered with, as any organisation would be |
//! | `places.rs` | where everybody listens, and the directory of the files |
//! | `identity_provider/` | an employer's SAML identity provider |
//! | `relying_party/` | the service: an OpenID Connect relying party |
//! | `look.rs`, `texts.rs` | their pages, in Swedish and English |
//! | `web.rs`, `memory.rs` | their HTTP caller, and what they remember |
//!
//! The broker is the real node. The other parties stand for other organisations' machines: each has a host and a port of its own, is
//! configured by the same files as a real peer, and talks to the broker over HTTP alone.

mod cast;
mod documents;
mod identity_provider;
mod look;
mod memory;
mod places;
mod register;
mod relying_party;
mod texts;
mod web;

use std::{io::Write as _, path::PathBuf, sync::Arc};

use axum::Router;
use cast::{Dialect, EMPLOYERS, Employer, SERVICE};
use certs::{
    PrivateKey, PublicKey, SignatureAlgorithm,
    certificate::Certificate,
    key_directory::{Creation, DEFAULT_CERTIFICATE_DAYS, KeyDirectory, SigningKeys},
};
use clap::{Args, ValueHint};
use identity_provider::{BrokerMetadata, IdentityProvider};
use look::Pages;
pub(super) use places::Site;
use places::{Folder, Places};
use relying_party::RelyingParty;
use serde_json::json;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{Lines, Stopped, Tone, serve};
use crate::{
    config::{Config, LogFormat},
    moment, route,
    server::{self, Bounds, Trusted},
    telemetry,
    wiring::{self, Node},
};

/// What is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Every name under .localhost is this machine; nothing is reachable from outside.\n\n\
    For example:\n  \
    sparvidd demo                       begin at the address that it prints\n  \
    sparvidd demo --directory federation  keep the files, to read them or to go on with `sparvidd serve`")]
pub(crate) struct Arguments {
    /// The broker's port; the other parties take the four after it. 0: any that are free. Left out: 8400, or any when taken.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Write the federation's files here and keep them; must not exist, or be empty. Left out: a temporary one, removed at the end.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
    /// Print the addresses as one line of JSON when all are up.
    #[arg(long)]
    json: bool,
}

/// Runs the demo until it is told to stop.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Stopped> {
    telemetry::start(LogFormat::Text, "warn");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stopped::could_not(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(federation(arguments))
}

async fn federation(arguments: &Arguments) -> Result<(), Stopped> {
    let stop = server::stop_signal();
    let (places, listeners) = places::open(arguments.port).await?;
    let folder = Folder::make(arguments.directory.as_deref())?;
    let federation = Federation::found(&folder, &places)?;
    let config = Config::read(&folder.path("sparvidd.toml")).map_err(Stopped::could_not)?;
    register::all(config.clone(), &folder).await?;
    let opened = wiring::open_store(&config).await.map_err(Stopped::could_not)?;

    let keys = KeyDirectory::open(&config.file.keys).map_err(Stopped::could_not)?;
    let node = Node::new(config, keys, opened.store.clone()).map_err(Stopped::could_not)?;
    node.refresh().await.map_err(Stopped::could_not)?;
    let following = tokio::spawn(serve::follow(node.clone(), stop.clone()));

    let mut serving = JoinSet::new();
    let mut routers = vec![route::router(node)];
    routers.extend(federation.routers(&places)?);
    for (listener, router) in listeners.into_iter().zip(routers) {
        serving.spawn(listen(listener, router, stop.clone()));
    }
    say(arguments, &places, &folder);
    while serving.join_next().await.is_some() {}
    following.abort();
    drop(opened);
    if !arguments.json {
        let mut lines = Lines::to_stdout();
        lines.gap();
        match &arguments.directory {
            Some(directory) => lines
                .say(Tone::Quiet, format!("The demo has ended. Its files are in {}.", directory.display())),
            None => lines.say(Tone::Quiet, "The demo has ended and left nothing behind."),
        }
    }
    Ok(())
}

async fn listen(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    server::serve(listener, router, None, Trusted::default(), Bounds::default(), stop).await;
}

/// The parties' own keys and documents, made anew at each start.
struct Federation {
    providers: Vec<(&'static Employer, PrivateKey, Vec<u8>)>,
    service_key: PrivateKey,
    broker_key: PublicKey,
}

impl Federation {
    /// Makes every key and writes every file.
    fn found(folder: &Folder, places: &Places) -> Result<Self, Stopped> {
        let creation = Creation {
            name: &places.broker.host,
            signing_keys: SigningKeys::Rsa,
            certificate_days: DEFAULT_CERTIFICATE_DAYS,
        };
        let keys = folder.path("keys");
        KeyDirectory::init(&keys, creation, moment::system_time()).map_err(Stopped::could_not)?;
        folder.write("sparvidd.toml", documents::configuration(&places.broker).as_bytes())?;
        let mut providers = Vec::new();
        for (employer, site) in EMPLOYERS.into_iter().zip(&places.providers) {
            let key = provider_key(employer, &site.host).map_err(Stopped::could_not)?;
            let metadata = documents::identity_provider(employer, site, &key).map_err(Stopped::could_not)?;
            folder.write(&organisation_file(employer), documents::organisation(employer).as_bytes())?;
            folder.write(&metadata_file(employer), &metadata)?;
            providers.push((employer, key, metadata));
        }
        let service_key = PrivateKey::generate_p256().map_err(Stopped::could_not)?;
        folder.write(SERVICE_FILE, documents::client(&places.service, &service_key).as_bytes())?;
        Ok(Self { providers, service_key, broker_key: metadata_key(folder)? })
    }

    /// Each party's addresses, in the order of the listeners after the broker's.
    fn routers(self, places: &Places) -> Result<Vec<Router>, Stopped> {
        let pages = Arc::new(Pages::new().map_err(Stopped::could_not)?);
        let service_url = places.service.at("/");
        let mut routers = Vec::new();
        for ((employer, key, metadata), site) in self.providers.into_iter().zip(&places.providers) {
            let documents = ["/saml/metadata", "/saml/personal-number/metadata"];
            let urls = documents.iter().map(|path| places.broker.at(path)).collect();
            let broker = BrokerMetadata::at(urls, self.broker_key.clone());
            let provider = IdentityProvider::new(
                employer,
                site.clone(),
                key,
                metadata,
                broker,
                pages.clone(),
                service_url.clone(),
            );
            routers.push(provider.router());
        }
        let service =
            RelyingParty::new(places.service.clone(), places.broker.origin(), self.service_key, pages);
        routers.push(service.router());
        Ok(routers)
    }
}

const SERVICE_FILE: &str = "metadata/vardplaneringen.json";

fn organisation_file(employer: &Employer) -> String {
    format!("organisations/{}.toml", employer.key)
}

fn metadata_file(employer: &Employer) -> String {
    format!("metadata/idp-{}.xml", employer.key)
}

/// The municipality signs with RSA and the others with P-256, so that both kinds are seen.
fn provider_key(employer: &Employer, host: &str) -> Result<PrivateKey, String> {
    let key = match employer.dialect {
        Dialect::Municipality => PrivateKey::generate_rsa(2048, SignatureAlgorithm::RsaSha256),
        Dialect::Region | Dialect::Agency => PrivateKey::generate_p256(),
    }
    .map_err(|error| error.to_string())?;
    let certificate = key
        .self_signed_certificate(host, moment::system_time(), DEFAULT_CERTIFICATE_DAYS)
        .map_err(|error| error.to_string())?;
    key.with_certificate(certificate).map_err(|error| error.to_string())
}

/// The key that the broker signs its metadata with: what a federation operator gives an identity provider on paper.
fn metadata_key(folder: &Folder) -> Result<PublicKey, Stopped> {
    let text =
        std::fs::read_to_string(folder.path("keys/metadata-signing.crt")).map_err(Stopped::could_not)?;
    let certificates = Certificate::all_from_pem(&text).map_err(Stopped::could_not)?;
    match certificates.first().map(Certificate::public_key) {
        Some(Ok(key)) => Ok(key.clone()),
        _ => Err(Stopped::could_not("the broker's metadata certificate holds no usable key")),
    }
}

/// Says where to begin, once everybody listens.
fn say(arguments: &Arguments, places: &Places, folder: &Folder) {
    let begin = places.service.at("/");
    if arguments.json {
        let providers: Vec<_> = EMPLOYERS
            .iter()
            .zip(&places.providers)
            .map(|(employer, site)| {
                json!({
                    "organisation": employer.name.sv,
                    "number": employer.number,
                    "address": site.origin(),
                    "entity_id": site.at(identity_provider::METADATA),
                })
            })
            .collect();
        let said = json!({
            "service": places.service.origin(),
            "broker": places.broker.origin(),
            "providers": providers,
            "directory": folder.root(),
        });
        // A reader that has gone away is no error of ours.
        let _ = writeln!(std::io::stdout(), "{said}");
        return;
    }
    let mut lines = Lines::to_stdout();
    lines.gap();
    lines.say_parts(&[(Tone::Strong, "  Begin here:  "), (Tone::Accent, &begin)]);
    lines.gap();
    lines.say(Tone::Plain, "  Sign in, choose an employer, choose a person. No password is needed.");
    lines.say(Tone::Plain, "  The service then shows what it was told about the person, and why.");
    lines.gap();
    let row = |who: &str, what: &str, site: &Site| vec![format!("  {who}"), what.to_owned(), site.origin()];
    let mut rows = vec![
        row(SERVICE.name.sv, "the service, an OpenID Connect relying party", &places.service),
        row("Spårvidd", "the broker between them", &places.broker),
    ];
    for (employer, site) in EMPLOYERS.iter().zip(&places.providers) {
        rows.push(row(
            employer.name.sv,
            &format!("an employer ({}), a SAML identity provider", employer.kind.en),
            site,
        ));
    }
    lines.table(&["  who", "what", "where"], &rows);
    lines.gap();
    if places.moved {
        lines.say(
            Tone::Look,
            format!(
                "  Port {} or one after it was taken, so others were chosen. --port PORT chooses for good.",
                places::FIRST_PORT
            ),
        );
    }
    match &arguments.directory {
        Some(_) => {
            lines.say(Tone::Quiet, format!("  Everybody's files are in {}; they stay there.", folder.root()))
        }
        None => lines.say(
            Tone::Quiet,
            format!(
                "  Everybody's files are in {} until the demo ends (--directory DIR keeps them).",
                folder.root()
            ),
        ),
    }
    lines.say(Tone::Quiet, "  All organisations and people are fictional. Stop with Ctrl-C.");
    lines.gap();
}
