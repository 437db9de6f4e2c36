//! A node: one `sparvidd serve`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use crate::{program::sparvidd, wire::Wire};

/// How long a node may take to be well. Debug builds on a busy machine are slow, and one that ended is not waited for.
const START: Duration = Duration::from_secs(180);

/// A node that runs, or has been killed.
#[derive(Debug)]
pub struct Node {
    port: u16,
    config: PathBuf,
    log: PathBuf,
    process: Mutex<Option<Child>>,
}

impl Node {
    /// Starts one by its configuration file, which listens on `port`, and waits until it is well.
    pub async fn start(port: u16, config: &Path) -> Self {
        let node = Self::start_unwell(port, config);
        node.well().await;
        node
    }

    /// Starts one without waiting for more than that it answers at all.
    pub async fn start_alone(port: u16, config: &Path) -> Self {
        let node = Self::start_unwell(port, config);
        node.until("answers", |status| status.is_some()).await;
        node
    }

    fn start_unwell(port: u16, config: &Path) -> Self {
        let log = config.with_extension("log");
        let to = File::options().create(true).append(true).open(&log).expect("a log file");
        let process = Command::new(sparvidd())
            .current_dir(config.parent().expect("the configuration is in a folder"))
            .arg("serve")
            .arg("--config")
            .arg(config)
            .env_remove("SPARVIDD_CONFIG")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(to)
            .spawn()
            .expect("the program can be run");
        Self { port, config: config.to_owned(), log, process: Mutex::new(Some(process)) }
    }

    /// Waits until a login could begin here.
    pub async fn well(&self) {
        self.until("is well", |status| status == Some(StatusCode::OK)).await;
    }

    /// Whether the process is over by itself. What does not run has no farewell to wait for.
    fn has_ended(&self) -> bool {
        let mut process = self.process.lock().expect("no panic while holding it");
        process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(Some(_))))
    }

    /// Waits until `/health` answers as `wanted` says; `None`: it does not answer.
    pub async fn until(&self, what: &str, wanted: impl Fn(Option<StatusCode>) -> bool) {
        let began = Instant::now();
        while !wanted(self.health().await) {
            assert!(!self.has_ended(), "the node ended before it {what}; its log:\n{}", self.log());
            assert!(began.elapsed() < START, "the node never {what}; its log:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn health(&self) -> Option<StatusCode> {
        let request = Request::get("/health")
            .header("host", "localhost")
            .body(Full::new(Bytes::new()))
            .expect("a request");
        Wire::new().send(self.port, request).await.ok().map(|reply| reply.status)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The number of its process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.lock().expect("no panic while holding it").as_ref().expect("the node runs").id()
    }

    /// Kills it with SIGKILL: no farewell of any kind.
    pub fn kill_hard(&mut self) {
        if let Some(mut process) = self.process.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Everything that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The log's lines, each one object.
    #[must_use]
    pub fn log_lines(&self) -> Vec<Value> {
        let log = self.log();
        // The last may be half written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|_| panic!("a line that is not JSON: {line}"))
            })
            .collect()
    }

    /// The lines of refused logins.
    #[must_use]
    pub fn refusals(&self) -> Vec<Value> {
        self.log_lines().into_iter().filter(|line| line["outcome"] == "refused").collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill_hard();
    }
}

#[cfg(test)]
mod tests {
    use super::Node;
    use crate::program::free_port;

    #[tokio::test]
    #[should_panic(expected = "the node ended before it is well")]
    async fn a_node_that_cannot_start_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let _ = Node::start(free_port(), &folder.path().join("nowhere.toml")).await;
    }

    #[test]
    fn no_port_is_given_twice() {
        let given: std::collections::BTreeSet<u16> = (0..200).map(|_| free_port()).collect();
        assert_eq!(given.len(), 200);
    }
}
