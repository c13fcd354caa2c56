//! HTTP to a node, for the JSON-RPC layer.
//!
//! Differs from the transport that `bitcoincore-rpc` brings in two things that matter here:
//!
//! - calls go round over a few connections that stay open. Bitcoin Core 31's server, asked
//!   again on a connection that it has just answered on, now and then looks at the question
//!   only 50 ms later;
//! - a call that timed out is never sent a second time: it could mine twice.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoincore_rpc::jsonrpc::client::Transport;
use bitcoincore_rpc::jsonrpc::{Error, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many connections calls go round over.
const CONNECTIONS: usize = 8;
/// No reply is longer: a batch of full blocks in hex has a third of this.
const MAX_REPLY: u64 = 1 << 30;
/// No line of a header is longer.
const MAX_LINE: u64 = 64 * 1024;

/// What can go wrong below JSON.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("{0}")]
    Socket(#[from] io::Error),
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("the reply isn't HTTP as Bitcoin Core speaks it: {0}")]
    Garbled(&'static str),
    #[error("the reply isn't JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A few connections to one node.
pub(super) struct Http {
    url: String,
    address: SocketAddr,
    authorization: String,
    timeout: Duration,
    connections: [Mutex<Option<Connection>>; CONNECTIONS],
    turn: AtomicUsize,
}

type Connection = BufReader<TcpStream>;

impl Http {
    /// For a URL like `http://127.0.0.1:18443`; `secret` is `user:password`. Connects later.
    pub fn new(url: &str, secret: &str, timeout: Duration) -> Result<Self, String> {
        let host = url
            .strip_prefix("http://")
            .unwrap_or(url)
            .trim_end_matches('/');
        if host.contains("://") || host.contains('/') {
            return Err("an address like http://127.0.0.1:18443 is needed".into());
        }
        let address = host
            .to_socket_addrs()
            .map_err(|error| format!("{error} (an address like http://127.0.0.1:18443 is needed)"))?
            .next()
            .ok_or_else(|| "that name has no address".to_owned())?;
        Ok(Self {
            url: url.to_owned(),
            address,
            authorization: format!("Basic {}", STANDARD.encode(secret)),
            timeout,
            connections: Default::default(),
            turn: AtomicUsize::new(0),
        })
    }

    fn post<R: DeserializeOwned>(&self, body: impl Serialize) -> Result<R, HttpError> {
        let body = serde_json::to_vec(&body)?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let Some(slot) = self.connections.get(turn) else {
            return Err(HttpError::Garbled("no connection"));
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // On an error the connection is dropped with whatever was left in it.
        if let Some(mut connection) = slot.take() {
            match self.exchange(&mut connection, &body) {
                // The node closes connections that were idle for long, unread: ask again.
                Err(HttpError::Socket(error)) if is_closed(&error) => {}
                Err(error) => return Err(error),
                Ok((status, reply, keep)) => {
                    *slot = keep.then_some(connection);
                    return parse(status, &reply);
                }
            }
        }
        let mut connection = self.connect()?;
        let (status, reply, keep) = self.exchange(&mut connection, &body)?;
        *slot = keep.then_some(connection);
        parse(status, &reply)
    }

    fn connect(&self) -> Result<Connection, HttpError> {
        let stream = TcpStream::connect_timeout(&self.address, self.timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        Ok(BufReader::new(stream))
    }

    /// Sends a request and reads the reply: its status, its body, whether to go on.
    fn exchange(
        &self,
        connection: &mut Connection,
        body: &[u8],
    ) -> Result<(u16, Vec<u8>, bool), HttpError> {
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.authorization,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        connection.get_mut().write_all(&request)?;

        let first = line(connection)?;
        let status = first
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1))
            .and_then(|status| status.parse().ok())
            .ok_or(HttpError::Garbled("no status"))?;
        let (mut length, mut keep) = (None, true);
        loop {
            let header = line(connection)?;
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else {
                return Err(HttpError::Garbled("a header without a colon"));
            };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(
                    value
                        .parse()
                        .map_err(|_| HttpError::Garbled("a bad length"))?,
                );
            } else if name.eq_ignore_ascii_case("connection") {
                keep = !value.eq_ignore_ascii_case("close");
            }
        }
        let length: u64 = length.ok_or(HttpError::Garbled("no length"))?;
        if length > MAX_REPLY {
            return Err(HttpError::Garbled("it is too long"));
        }
        let mut reply = Vec::new();
        connection.take(length).read_to_end(&mut reply)?;
        if reply.len() as u64 != length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok((status, reply, keep))
    }
}

/// Whether the other side closed the connection before it sent anything.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

/// Bitcoin Core sends most errors with status 500 and JSON that says more.
fn parse<R: DeserializeOwned>(status: u16, reply: &[u8]) -> Result<R, HttpError> {
    match serde_json::from_slice(reply) {
        Ok(value) => Ok(value),
        Err(_) if status != 200 => Err(HttpError::Status(status)),
        Err(error) => Err(error.into()),
    }
}

/// A line of a header, without its end.
fn line(connection: &mut Connection) -> Result<String, HttpError> {
    let mut line = String::new();
    connection.take(MAX_LINE).read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(line.trim_end().to_owned())
}

impl Transport for Http {
    fn send_request(&self, request: Request) -> Result<Response, Error> {
        self.post(request)
            .map_err(|error| Error::Transport(Box::new(error)))
    }

    fn send_batch(&self, requests: &[Request]) -> Result<Vec<Response>, Error> {
        self.post(requests)
            .map_err(|error| Error::Transport(Box::new(error)))
    }

    fn fmt_target(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A server that answers each connection with one of these and closes it.
    fn ask_twice(answers: Vec<&'static str>) -> Vec<Result<u32, HttpError>> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a caller");
                let _ = stream.read(&mut [0; 4096]);
                stream.write_all(answer.as_bytes()).expect("writes");
            }
        });
        let http = Http::new(&url, "a:b", Duration::from_millis(300)).expect("a URL");
        let results = (0..2 * CONNECTIONS).step_by(CONNECTIONS);
        let results = results.map(|turn| {
            http.turn.store(turn, Ordering::Relaxed);
            http.post(7)
        });
        let results = results.collect();
        drop(server); // it may wait for a caller that never comes
        results
    }

    #[test]
    fn replies() {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n5";
        // the connection is kept, then found closed, then made anew
        assert!(matches!(ask_twice(vec![ok, ok])[..], [Ok(5), Ok(5)]));
        for (answer, want) in [
            (
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
                "HTTP status 401",
            ),
            ("HTTP/1.1 200 OK\r\n\r\n5", "the reply isn't HTTP"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n5",
                "the reply isn't HTTP",
            ),
            ("SSH-2.0-OpenSSH\r\n", "the reply isn't HTTP"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n5",
                "unexpected end of file",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                "the reply isn't JSON",
            ),
            ("", "unexpected end of file"),
        ] {
            let error = ask_twice(vec![answer, ok]).remove(0).expect_err(want);
            assert!(error.to_string().starts_with(want), "{answer:?}: {error}");
        }
    }

    #[test]
    fn bad_addresses() {
        for url in [
            "https://127.0.0.1:1",
            "http://127.0.0.1",
            "http://127.0.0.1:1/wallet",
            "",
        ] {
            assert!(
                Http::new(url, "a:b", Duration::from_secs(1)).is_err(),
                "{url}"
            );
        }
    }
}
