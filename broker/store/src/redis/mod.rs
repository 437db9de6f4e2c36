//! The store that several nodes share: Redis 6 or newer, or Valkey.
//!
//! Each verb is one script or one command, and so one round trip. Before a verb fails because its connection was lost, it is tried once more on a
//! new connection with the same attempt id, so that a lost answer is neither a second use nor a failed login. The server must run with
//! `maxmemory-policy noeviction`: a tombstone or a mark that is evicted could be used again.
//!
//! What one primary does is atomic. A fail-over to a replica can lose the last writes: verbs do not wait for replicas yet, and what was issued
//! before a new primary took over is not refused yet. Until then, run one server with persistence, or accept that window.
//!
//! Neighbours: `connection.rs` has the connection and its deadlines, `script/` the scripts, [`crate::keyspace`] the keys and their table.

mod connection;

use std::{path::PathBuf, time::Duration};

use broker_core::port::{
    AttemptId, Finish, Finished, HeadMoved, Once, Pending, Put, Store, StoreError, StoreKey, Taken,
};
use redis::{Script, ScriptInvocation, Value};

use crate::{
    keyspace,
    limit::{check_lifetime, check_puts, check_value, contents_as_named, occupied, refused},
};
use connection::{Answered, Connection};

/// How long a taken value waits for a retry of the same attempt. Longer than any retry takes, so a memory that is copied later has it no more.
const ANSWER_MILLISECONDS: u64 = 15_000;
/// What is sent in one second at least, before a deadline ends a verb that moves contents.
const OCTETS_PER_SECOND: usize = 8 * 1024 * 1024;
/// Octets of contents in one command at most.
const BATCH: usize = 32 * 1024 * 1024;

/// Where the server is and how long to wait for it.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, the same with `rediss://` for TLS, or `unix:PATH` or `redis+unix:PATH` (with
    /// `?db=`, `user=`, `pass=`).
    pub url: String,
    /// Certificates (PEM) to trust for `rediss://`, in place of the public ones. The server's own authority belongs here.
    pub certificate_authorities: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_within: Duration,
    /// How long one answer may take.
    pub answer_within: Duration,
}

impl RedisOptions {
    /// The server at `url`: two seconds to connect, one to answer, the public certificate authorities.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            certificate_authorities: None,
            connect_within: Duration::from_secs(2),
            answer_within: Duration::from_secs(1),
        }
    }
}

impl std::fmt::Debug for RedisOptions {
    /// Without the URL: it may carry a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisOptions")
            .field("certificate_authorities", &self.certificate_authorities)
            .field("connect_within", &self.connect_within)
            .field("answer_within", &self.answer_within)
            .finish_non_exhaustive()
    }
}

/// Why options cannot be used. None of them says a password.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The URL is not one.
    #[error("the store's url is not of a form that is known: {0}")]
    Url(String),
    /// The file of certificate authorities cannot be used.
    #[error("the certificate authorities in {} cannot be used: {reason}", path.display())]
    CertificateAuthorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

struct Scripts {
    put: Script,
    take: Script,
    once: Script,
    finish: Script,
    move_head: Script,
}

/// The store that several nodes share.
pub struct RedisStore {
    connection: Connection,
    scripts: Scripts,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore").field("at", &self.connection.at()).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// The store at the options' URL. Connects when first used, so a node starts, and serves what needs no store, while the server is away.
    ///
    /// # Errors
    /// When the options cannot be used.
    pub fn new(options: &RedisOptions) -> Result<Self, OptionsError> {
        Ok(Self {
            connection: Connection::new(options)?,
            scripts: Scripts {
                put: Script::new(include_str!("script/put.lua")),
                take: Script::new(include_str!("script/take.lua")),
                once: Script::new(include_str!("script/once.lua")),
                finish: Script::new(include_str!("script/finish.lua")),
                move_head: Script::new(include_str!("script/move_head.lua")),
            },
        })
    }

    /// What about the server itself would break a promise of this store, in words for its operator; empty when nothing does. For `check`, and once
    /// when a node starts.
    ///
    /// # Errors
    /// When the server does not answer, or does not let this user ask (`INFO`).
    pub async fn unfit_settings(&self) -> Result<Vec<String>, StoreError> {
        let mut command = redis::cmd("INFO");
        let Value::BulkString(text) = self.connection.ask(command.arg("everything"), 0).await?.value else {
            return unexpected("INFO");
        };
        Ok(unfit_settings(&String::from_utf8_lossy(&text)))
    }

    async fn run(&self, script: &ScriptInvocation<'_>) -> Result<Answered, StoreError> {
        self.connection.run(script).await
    }
}

fn unfit_settings(information: &str) -> Vec<String> {
    let setting = |name: &str| {
        information
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.trim())
    };
    let mut unfit = Vec::new();
    match setting("maxmemory_policy") {
        Some("noeviction") => {}
        Some(policy) => unfit.push(format!(
            "maxmemory-policy is {policy}: what was used once could be used again after an eviction; set it to noeviction"
        )),
        None => unfit.push("the server does not say its maxmemory-policy; it must be noeviction".to_owned()),
    }
    match setting("redis_version").and_then(|version| version.split('.').next()?.parse::<u32>().ok()) {
        Some(6..) => {}
        _ => unfit.push("the server must be Redis 6 or newer, or Valkey".to_owned()),
    }
    if setting("redis_mode") == Some("cluster") {
        unfit.push(
            "the server is part of a Cluster, where a step of a login touches several slots; use one primary"
                .to_owned(),
        );
    }
    unfit
}

fn milliseconds(lifetime: Duration) -> u64 {
    u64::try_from(lifetime.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, 1000 * keyspace::MAX_LIFETIME_SECONDS as u64)
}

fn unexpected<T>(what: &str) -> Result<T, StoreError> {
    Err(StoreError::Unexpected(format!("an answer to {what} that no script gives")))
}

fn yes_or_no(value: &Value, what: &str) -> Result<bool, StoreError> {
    match value {
        Value::Int(1) => Ok(true),
        Value::Int(0) => Ok(false),
        _ => unexpected(what),
    }
}

/// `{letter}` or `{letter, octets}`.
fn lettered(value: Value, what: &str) -> Result<(u8, Option<Vec<u8>>), StoreError> {
    let Value::Array(parts) = value else { return unexpected(what) };
    let mut parts = parts.into_iter();
    let (Some(Value::BulkString(letter)), octets, None) = (parts.next(), parts.next(), parts.next()) else {
        return unexpected(what);
    };
    match (letter.as_slice(), octets) {
        (&[letter], None) => Ok((letter, None)),
        (&[letter], Some(Value::BulkString(octets))) => Ok((letter, Some(octets))),
        _ => unexpected(what),
    }
}

impl Store for RedisStore {
    fn put<'a>(&'a self, puts: &'a [Put], attempt: AttemptId) -> Pending<'a, bool> {
        Box::pin(async move {
            check_puts(puts)?;
            if puts.is_empty() {
                return Ok(true);
            }
            let mut script = self.scripts.put.arg(&attempt.0);
            for put in puts {
                script.key(&put.key.0).arg(&put.value).arg(milliseconds(put.lifetime));
            }
            yes_or_no(&self.run(&script).await?.value, "put")
        })
    }

    fn read<'a>(&'a self, key: &'a StoreKey) -> Pending<'a, Taken> {
        Box::pin(async move {
            let answered = self.connection.ask(redis::cmd("GET").arg(&key.0), 0).await?;
            match answered.value {
                Value::Nil => Ok(Taken::Absent),
                // The frame: `V`, 16 octets, value; or `T`, 16 and 16 octets, tombstone. What has neither form opens to nothing further up.
                Value::BulkString(frame) => Ok(match frame.split_first() {
                    Some((b'V', rest)) => Taken::Value(rest.get(16..).unwrap_or_default().to_vec()),
                    Some((_, rest)) => Taken::Spent(rest.get(32..).unwrap_or_default().to_vec()),
                    None => Taken::Spent(Vec::new()),
                }),
                _ => unexpected("read"),
            }
        })
    }

    fn take<'a>(&'a self, key: &'a StoreKey, tombstone: &'a [u8], attempt: AttemptId) -> Pending<'a, Taken> {
        Box::pin(async move {
            check_value(tombstone)?;
            let mut script = self.scripts.take.key(&key.0);
            script.key(keyspace::answer(key)).arg(&attempt.0).arg(tombstone).arg(ANSWER_MILLISECONDS);
            match lettered(self.run(&script).await?.value, "take")? {
                (b'V', Some(value)) => Ok(Taken::Value(value)),
                (b'S', Some(tombstone)) => Ok(Taken::Spent(tombstone)),
                (b'A', None) => Ok(Taken::Absent),
                _ => unexpected("take"),
            }
        })
    }

    fn insert_once<'a>(&'a self, once: &'a Once, attempt: AttemptId) -> Pending<'a, bool> {
        Box::pin(async move {
            check_lifetime(once.lifetime)?;
            let mut script = self.scripts.once.key(&once.key.0);
            script.arg(&attempt.0).arg(milliseconds(once.lifetime));
            yes_or_no(&self.run(&script).await?.value, "insert_once")
        })
    }

    fn finish<'a>(&'a self, finish: &'a Finish, attempt: AttemptId) -> Pending<'a, Finished> {
        Box::pin(async move {
            check_value(&finish.tombstone)?;
            check_puts(&finish.put)?;
            let mut script = self.scripts.finish.key(&finish.take.0);
            script
                .key(keyspace::answer(&finish.take))
                .arg(&attempt.0)
                .arg(&finish.tombstone)
                .arg(ANSWER_MILLISECONDS);
            match &finish.once {
                Some(once) => {
                    check_lifetime(once.lifetime)?;
                    script.key(&once.key.0).arg(milliseconds(once.lifetime));
                }
                None => {
                    script.arg("");
                }
            }
            for put in &finish.put {
                script.key(&put.key.0).arg(&put.value).arg(milliseconds(put.lifetime));
            }
            match lettered(self.run(&script).await?.value, "finish")? {
                (b'V', Some(value)) => Ok(Finished::Done(value)),
                (b'S', Some(tombstone)) => Ok(Finished::Spent(tombstone)),
                (b'A', None) => Ok(Finished::Absent),
                (b'R', None) => Ok(Finished::Replayed),
                (b'O', None) => Err(occupied()),
                _ => unexpected("finish"),
            }
        })
    }

    fn forget<'a>(&'a self, key: &'a StoreKey) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut command = redis::cmd("DEL");
            command.arg(&key.0).arg(keyspace::answer(key));
            match self.connection.ask(&command, 0).await?.value {
                Value::Int(_) => Ok(()),
                _ => unexpected("forget"),
            }
        })
    }

    fn head<'a>(&'a self, name: &'a str) -> Pending<'a, Option<Vec<u8>>> {
        let Some(key) = keyspace::head(name) else { return refused("not a name of a head") };
        Box::pin(async move {
            match self.connection.ask(redis::cmd("GET").arg(key), 0).await?.value {
                Value::Nil => Ok(None),
                Value::BulkString(head) => Ok(Some(head)),
                _ => unexpected("head"),
            }
        })
    }

    fn move_head<'a>(
        &'a self,
        name: &'a str,
        expected: Option<&'a [u8]>,
        to: &'a [u8],
    ) -> Pending<'a, HeadMoved> {
        let Some(key) = keyspace::head(name) else { return refused("not a name of a head") };
        if to.len() > keyspace::MAX_HEAD {
            return refused("the head is too large");
        }
        Box::pin(async move {
            let mut script = self.scripts.move_head.key(key);
            script.arg(if expected.is_some() { "1" } else { "0" }).arg(expected.unwrap_or_default()).arg(to);
            let answered = self.run(&script).await?;
            match lettered(answered.value, "move_head")? {
                (b'M', None) => Ok(HeadMoved::Moved),
                // The first try moved it, and its answer was lost.
                (b'C', Some(standing)) if answered.again && standing == to => Ok(HeadMoved::Moved),
                (b'C', standing) => Ok(HeadMoved::Conflict(standing)),
                _ => unexpected("move_head"),
            }
        })
    }

    fn keep<'a>(&'a self, contents: &'a [Vec<u8>]) -> Pending<'a, ()> {
        if contents.iter().any(|content| content.len() > keyspace::MAX_CONTENT) {
            return refused("a content is too large");
        }
        Box::pin(async move {
            let mut rest = contents;
            // One command, and so all or none, up to a size that does not hold up the logins of others. Contents stand for themselves: what
            // points to them is moved afterwards.
            while !rest.is_empty() {
                let mut command = redis::cmd("MSET");
                let (mut octets, mut fitting) = (0_usize, 0_usize);
                for content in rest {
                    if fitting > 0 && octets.saturating_add(content.len()) > BATCH {
                        break;
                    }
                    let Some(key) = keyspace::kept(&keyspace::content_name(content)) else {
                        return unexpected("keep");
                    };
                    command.arg(key).arg(content);
                    octets = octets.saturating_add(content.len());
                    fitting += 1;
                }
                match self.connection.ask(&command, octets).await?.value {
                    Value::Okay => rest = rest.get(fitting..).unwrap_or_default(),
                    _ => return unexpected("keep"),
                }
            }
            Ok(())
        })
    }

    fn kept<'a>(&'a self, names: &'a [String]) -> Pending<'a, Vec<Option<Vec<u8>>>> {
        let Some(keys) = names.iter().map(|name| keyspace::kept(name)).collect::<Option<Vec<_>>>() else {
            return refused("not a name of a content");
        };
        Box::pin(async move {
            let mut found = Vec::with_capacity(keys.len());
            // How large they are is not known before: few at a time, with a deadline for the largest batch.
            for keys in keys.chunks(256) {
                match self.connection.ask(redis::cmd("MGET").arg(keys), BATCH).await?.value {
                    Value::Array(values) if values.len() == keys.len() => {
                        for value in values {
                            found.push(match value {
                                Value::Nil => None,
                                Value::BulkString(content) => Some(content),
                                _ => return unexpected("kept"),
                            });
                        }
                    }
                    _ => return unexpected("kept"),
                }
            }
            contents_as_named(names, found)
        })
    }

    fn discard<'a>(&'a self, names: &'a [String]) -> Pending<'a, ()> {
        let Some(keys) = names.iter().map(|name| keyspace::kept(name)).collect::<Option<Vec<_>>>() else {
            return refused("not a name of a content");
        };
        Box::pin(async move {
            // UNLINK and not DEL: the server frees large contents beside the logins of others.
            for keys in keys.chunks(256) {
                match self.connection.ask(redis::cmd("UNLINK").arg(keys), 0).await?.value {
                    Value::Int(_) => {}
                    _ => return unexpected("discard"),
                }
            }
            Ok(())
        })
    }

    fn health(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            match self.connection.ask(&redis::cmd("PING"), 0).await?.value {
                Value::SimpleString(pong) if pong == "PONG" => Ok(()),
                _ => unexpected("health"),
            }
        })
    }
}

#[cfg(test)]
mod tests;
