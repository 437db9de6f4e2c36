//! A Redis server of the test's own, and a look into it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::{Shutdown, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::program::free_port;

/// A server that runs, on the loopback address, without persistence.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    folder: PathBuf,
    process: Option<Child>,
}

impl Redis {
    /// Starts one whose folder is `folder`.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let mut redis = Self { port: free_port(), folder: folder.to_owned(), process: None };
        redis.again();
        redis
    }

    /// Starts it again, empty, on the same port, after [`Redis::kill`].
    pub fn again(&mut self) {
        assert!(self.process.is_none(), "the Redis server is running");
        let log = File::create(self.folder.join("redis.log")).expect("a log file");
        let process = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &self.port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
            ])
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("redis-server cannot be run ({error}): install the package redis-server")
            });
        self.process = Some(process);
        let began = Instant::now();
        while self.try_connect().is_none() {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "redis-server does not answer on port {}",
                self.port
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it at once, with all that it holds.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// The number of its process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().expect("the Redis server runs").id()
    }

    /// Everything that lasts (heads and contents, no records of logins), to be given to an empty server: what a server with persistence would have
    /// after a restart.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        let lasts = |key: &String| key.starts_with("sv:head:") || key.starts_with("sv:kept:");
        self.everything().into_iter().filter(|(key, _)| lasts(key)).collect()
    }

    /// Writes a snapshot back.
    pub fn restore(&self, snapshot: &BTreeMap<String, Vec<u8>>) {
        let mut connection = self.connect();
        for (key, value) in snapshot {
            redis::cmd("SET").arg(key).arg(value).query::<()>(&mut connection).expect("SET");
        }
    }

    /// Its address, as the broker's configuration has it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// A connection.
    #[must_use]
    pub fn connect(&self) -> redis::Connection {
        self.try_connect().expect("the Redis server answers")
    }

    fn try_connect(&self) -> Option<redis::Connection> {
        let client = redis::Client::open(self.url()).expect("an address");
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(1)).ok()?;
        redis::cmd("PING").query::<String>(&mut connection).ok()?;
        Some(connection)
    }

    /// Every key with its value, as the server would hand it to somebody who copies it.
    #[must_use]
    pub fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        let mut connection = self.connect();
        let mut cursor = 0_u64;
        let mut found = BTreeMap::new();
        loop {
            let (next, keys): (u64, Vec<String>) =
                redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(500).query(&mut connection).expect("SCAN");
            for key in keys {
                // A key may expire between the two questions.
                let value: Option<Vec<u8>> =
                    redis::cmd("GET").arg(&key).query(&mut connection).expect("a string");
                found.extend(value.map(|value| (key, value)));
            }
            cursor = next;
            if cursor == 0 {
                return found;
            }
        }
    }

    /// Writes a value by hand, keeping the key's lifetime.
    pub fn overwrite(&self, key: &str, value: &[u8]) {
        redis::cmd("SET").arg(key).arg(value).arg("KEEPTTL").query::<()>(&mut self.connect()).expect("SET");
    }

    /// Listens to every command that clients send (MONITOR), without those inside scripts. Slows the server: not for
    /// measuring time.
    #[must_use]
    pub fn listen(&self) -> Listening {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the Redis server answers");
        stream.write_all(b"MONITOR\r\n").expect("MONITOR");
        let reader = stream.try_clone().expect("a second handle");
        let heard = std::thread::spawn(move || {
            let lines = BufReader::new(reader).split(b'\n').map_while(Result::ok);
            lines
                .map(|line| String::from_utf8_lossy(&line).into_owned())
                .filter(|line| line.contains("] \"") && !line.contains(" lua] "))
                .collect()
        });
        Listening { stream, heard }
    }
}

/// Who listens to a server.
#[derive(Debug)]
pub struct Listening {
    stream: TcpStream,
    heard: JoinHandle<Vec<String>>,
}

impl Listening {
    /// Ends it and gives what was heard, a line for each command: `TIME [DB ADDRESS] "COMMAND" "ARGUMENT"...`
    #[must_use]
    pub fn heard(self) -> Vec<String> {
        // The last commands may still be on their way.
        std::thread::sleep(Duration::from_millis(200));
        let _ = self.stream.shutdown(Shutdown::Both);
        self.heard.join().expect("nobody panics while listening")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
