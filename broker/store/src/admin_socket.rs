//! How a local command reaches the embedded store while `serve` holds its file: a Unix socket beside it, which its owner alone can open (0600).
//!
//! Only what lasts goes over it: heads, contents, health. Records of logins stay in the memory of the process. One frame is a length (4 octets, big
//! endian) and that much JSON, octets as base64; a connection carries one question after the other.
//!
//! Neighbours: [`crate::embedded`] decides who opens the file and who comes here.

use std::{
    fs, io,
    os::unix::{
        fs::{DirBuilderExt as _, PermissionsExt as _},
        net::UnixListener as StdUnixListener,
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use broker_core::port::{
    AttemptId, Finish, Finished, HeadMoved, Once, Pending, Put, Store, StoreError, StoreKey, Taken,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::{Mutex, Semaphore},
    task::JoinHandle,
};

use crate::{
    embedded::EmbeddedStore,
    keyspace,
    limit::{contents_as_named, refused},
};

/// The largest frame, in octets: one content of the largest size as base64, and some.
const MAX_FRAME: usize = keyspace::MAX_CONTENT / 3 * 4 + 64 * 1024;
/// How many octets of contents go into one frame, unless a single one is larger.
const BATCH: usize = 4 * 1024 * 1024;
/// Names in one frame: 1,000 of them are 67 kB.
const NAMES: usize = 1000;
/// Connections at once. A command uses one.
const CONNECTIONS: usize = 16;
/// How long a peer may take to send or to accept one frame, and a command may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Octets as base64 text in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Octets(Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(|_| serde::de::Error::custom("not base64"))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Question {
    Head { name: String },
    MoveHead { name: String, expected: Option<Octets>, to: Octets },
    Keep { contents: Vec<Octets> },
    Kept { names: Vec<String> },
    Discard { names: Vec<String> },
    Health,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Answer {
    Head(Option<Octets>),
    Moved,
    Conflict(Option<Octets>),
    /// The contents of the first names, as many as fit; at least one.
    Kept(Vec<Option<Octets>>),
    Done,
    Away(String),
    Unexpected(String),
}

impl From<StoreError> for Answer {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Away(why) => Self::Away(why),
            StoreError::Unexpected(why) => Self::Unexpected(why),
        }
    }
}

async fn write_frame<T: Serialize>(stream: &mut UnixStream, message: &T) -> io::Result<()> {
    let body = serde_json::to_vec(message).map_err(io::Error::other)?;
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_FRAME);
    let length =
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the frame is too large"))?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await
}

async fn read_frame<T: DeserializeOwned>(stream: &mut UnixStream) -> io::Result<T> {
    let length = usize::try_from(stream.read_u32().await?).map_err(io::Error::other)?;
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too large"));
    }
    // Read as it comes: a length alone reserves nothing.
    let mut body = Vec::new();
    let read = stream.take(length as u64).read_to_end(&mut body).await?;
    if read != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&body).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("the frame cannot be read: {error}"))
    })
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The socket of a running process. Dropping it stops the answers and removes the socket.
#[derive(Debug)]
pub struct AdminSocket {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl AdminSocket {
    /// Listens at `path` and answers from `store`. Whatever lies at `path` is replaced: the caller holds the store's file, so nobody else answers.
    /// Needs a running tokio runtime.
    ///
    /// # Errors
    /// When the socket cannot be made there.
    pub fn start(path: &Path, store: Arc<EmbeddedStore>) -> io::Result<Self> {
        let listener = listen(path)?;
        Ok(Self { path: path.to_owned(), task: tokio::spawn(serve_admin(listener, store)) })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        self.task.abort();
        // Best effort: a socket that stays is replaced by the next process, and refuses connections until then.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the socket in a folder that nobody else can enter, sets its mode, and only then moves it to where it is found.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let mut folder = path.as_os_str().to_owned();
    folder.push(".new");
    let folder = PathBuf::from(folder);
    let inner = folder.join("s");
    // Left by a process that was killed here.
    let _ = fs::remove_file(&inner);
    let _ = fs::remove_dir(&folder);
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    let made = StdUnixListener::bind(&inner).and_then(|listener| {
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o600))?;
        fs::rename(&inner, path)?;
        listener.set_nonblocking(true)?;
        UnixListener::from_std(listener)
    });
    let _ = fs::remove_file(&inner);
    let _ = fs::remove_dir(&folder);
    made
}

/// Answers at `listener` from `store`, until it is dropped.
pub async fn serve_admin(listener: UnixListener, store: Arc<EmbeddedStore>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let store = Arc::clone(&store);
                connections.spawn(async move {
                    let _place = place;
                    if let Err(error) = answer(stream, &store).await {
                        tracing::debug!(%error, "a local command's connection ended early");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the local admin socket cannot accept");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(mut stream: UnixStream, store: &EmbeddedStore) -> io::Result<()> {
    loop {
        let question = match in_time(read_frame(&mut stream)).await {
            Ok(question) => question,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => {
                // Said once, so that a command of another version shows why; then the stream is of no use.
                let _ = in_time(write_frame(&mut stream, &Answer::Unexpected(error.to_string()))).await;
                return Err(error);
            }
        };
        let answer = answer_one(store, question).await.unwrap_or_else(Answer::from);
        in_time(write_frame(&mut stream, &answer)).await?;
    }
}

async fn answer_one(store: &EmbeddedStore, question: Question) -> Result<Answer, StoreError> {
    Ok(match question {
        Question::Head { name } => Answer::Head(store.head(&name).await?.map(Octets)),
        Question::MoveHead { name, expected, to } => {
            match store.move_head(&name, expected.as_ref().map(|octets| octets.0.as_slice()), &to.0).await? {
                HeadMoved::Moved => Answer::Moved,
                HeadMoved::Conflict(standing) => Answer::Conflict(standing.map(Octets)),
            }
        }
        Question::Keep { contents } => {
            let contents: Vec<_> = contents.into_iter().map(|content| content.0).collect();
            store.keep(&contents).await?;
            Answer::Done
        }
        Question::Kept { names } => {
            let mut answer = Vec::new();
            let mut octets = 0_usize;
            for name in &names {
                let content = store.kept(std::slice::from_ref(name)).await?.pop().flatten();
                octets = octets.saturating_add(content.as_ref().map_or(0, Vec::len));
                if !answer.is_empty() && octets > BATCH {
                    break;
                }
                answer.push(content.map(Octets));
            }
            Answer::Kept(answer)
        }
        Question::Discard { names } => {
            store.discard(&names).await?;
            Answer::Done
        }
        Question::Health => {
            store.health().await?;
            Answer::Done
        }
    })
}

/// The store of a running process, from a local command. Has the verbs for what lasts; refuses the others.
#[derive(Debug)]
pub struct EmbeddedClient {
    /// `None` after a failure: a stream that stopped within a frame is of no use.
    stream: Mutex<Option<UnixStream>>,
}

impl EmbeddedClient {
    /// Connects, and makes sure that somebody answers.
    ///
    /// # Errors
    /// When nobody does.
    pub async fn connect(socket: &Path) -> io::Result<Self> {
        let stream = in_time(UnixStream::connect(socket)).await?;
        let client = Self { stream: Mutex::new(Some(stream)) };
        client.health().await.map_err(io::Error::other)?;
        Ok(client)
    }

    async fn ask(&self, question: &Question) -> Result<Answer, StoreError> {
        let away =
            |error: io::Error| StoreError::Away(format!("the running process does not answer: {error}"));
        let mut place = self.stream.lock().await;
        let mut stream = place.take().ok_or_else(|| away(io::ErrorKind::NotConnected.into()))?;
        in_time(write_frame(&mut stream, question)).await.map_err(away)?;
        let answer = in_time(read_frame(&mut stream)).await.map_err(away)?;
        *place = Some(stream);
        match answer {
            Answer::Away(why) => Err(StoreError::Away(why)),
            Answer::Unexpected(why) => Err(StoreError::Unexpected(why)),
            other => Ok(other),
        }
    }
}

fn another_answer<T>() -> Result<T, StoreError> {
    Err(StoreError::Unexpected("the running process answered another question".to_owned()))
}

const NOT_HERE: &str = "records of logins live in the memory of the running process";

impl Store for EmbeddedClient {
    fn put<'a>(&'a self, _: &'a [Put], _: AttemptId) -> Pending<'a, bool> {
        refused(NOT_HERE)
    }

    fn read<'a>(&'a self, _: &'a StoreKey) -> Pending<'a, Taken> {
        refused(NOT_HERE)
    }

    fn take<'a>(&'a self, _: &'a StoreKey, _: &'a [u8], _: AttemptId) -> Pending<'a, Taken> {
        refused(NOT_HERE)
    }

    fn insert_once<'a>(&'a self, _: &'a Once, _: AttemptId) -> Pending<'a, bool> {
        refused(NOT_HERE)
    }

    fn finish<'a>(&'a self, _: &'a Finish, _: AttemptId) -> Pending<'a, Finished> {
        refused(NOT_HERE)
    }

    fn forget<'a>(&'a self, _: &'a StoreKey) -> Pending<'a, ()> {
        refused(NOT_HERE)
    }

    fn head<'a>(&'a self, name: &'a str) -> Pending<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.ask(&Question::Head { name: name.to_owned() }).await? {
                Answer::Head(head) => Ok(head.map(|octets| octets.0)),
                _ => another_answer(),
            }
        })
    }

    fn move_head<'a>(
        &'a self,
        name: &'a str,
        expected: Option<&'a [u8]>,
        to: &'a [u8],
    ) -> Pending<'a, HeadMoved> {
        Box::pin(async move {
            let octets = |octets: &[u8]| Octets(octets.to_vec());
            let question =
                Question::MoveHead { name: name.to_owned(), expected: expected.map(octets), to: octets(to) };
            match self.ask(&question).await? {
                Answer::Moved => Ok(HeadMoved::Moved),
                Answer::Conflict(standing) => Ok(HeadMoved::Conflict(standing.map(|octets| octets.0))),
                _ => another_answer(),
            }
        })
    }

    fn keep<'a>(&'a self, contents: &'a [Vec<u8>]) -> Pending<'a, ()> {
        if contents.iter().any(|content| content.len() > keyspace::MAX_CONTENT) {
            return refused("a content is too large");
        }
        Box::pin(async move {
            // In several frames: contents stand for themselves, and nothing points to them before all are kept.
            let mut rest = contents;
            while !rest.is_empty() {
                let mut octets = 0_usize;
                let fitting = rest
                    .iter()
                    .take_while(|content| {
                        octets = octets.saturating_add(content.len());
                        octets <= BATCH
                    })
                    .count()
                    .max(1);
                let (now, later) = rest.split_at(fitting.min(rest.len()));
                let contents = now.iter().cloned().map(Octets).collect();
                match self.ask(&Question::Keep { contents }).await? {
                    Answer::Done => rest = later,
                    _ => return another_answer(),
                }
            }
            Ok(())
        })
    }

    fn kept<'a>(&'a self, names: &'a [String]) -> Pending<'a, Vec<Option<Vec<u8>>>> {
        Box::pin(async move {
            let mut found = Vec::with_capacity(names.len());
            while let Some(rest) = names.get(found.len()..).filter(|rest| !rest.is_empty()) {
                let asked = rest.iter().take(NAMES).cloned().collect::<Vec<_>>();
                match self.ask(&Question::Kept { names: asked.clone() }).await? {
                    Answer::Kept(contents) if (1..=asked.len()).contains(&contents.len()) => {
                        found.extend(contents.into_iter().map(|content| content.map(|octets| octets.0)));
                    }
                    _ => return another_answer(),
                }
            }
            contents_as_named(names, found)
        })
    }

    fn discard<'a>(&'a self, names: &'a [String]) -> Pending<'a, ()> {
        Box::pin(async move {
            // Names are given in bounded numbers, as they are asked.
            for names in names.chunks(NAMES) {
                match self.ask(&Question::Discard { names: names.to_vec() }).await? {
                    Answer::Done => {}
                    _ => return another_answer(),
                }
            }
            Ok(())
        })
    }

    fn health(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            match self.ask(&Question::Health).await? {
                Answer::Done => Ok(()),
                _ => another_answer(),
            }
        })
    }
}
