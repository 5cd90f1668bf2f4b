//! With a real nginx behind.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

use super::support::*;
use crate::backend::Endpoint;

struct Nginx {
    process: Child,
    directory: PathBuf,
    port: u16,
}

impl Nginx {
    async fn start() -> Self {
        let reserved = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = reserved.local_addr().unwrap().port();
        drop(reserved);
        let directory = std::env::temp_dir().join(format!("pillion-proxy-nginx-{port}"));
        std::fs::create_dir_all(directory.join("www")).unwrap();
        let large: Vec<u8> = (0..1_000_000_u32)
            .map(|at| b'a' + (at % 23) as u8)
            .collect();
        std::fs::write(directory.join("www/large"), large).unwrap();
        std::fs::write(directory.join("www/index.html"), "hello from nginx\n").unwrap();
        let folder = directory.display();
        let configuration = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n\
             events {{}}\n\
             http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n\
             server {{ listen 127.0.0.1:{port}; root {folder}/www; keepalive_timeout 60 33;\n\
             location /gzip {{ alias {folder}/www/large; gzip on; gzip_types *; gzip_min_length 1; }}\n\
             location /echo {{ return 200 \"$request_method $host $request_uri $http_x_odd\\n\"; }} }} }}\n"
        );
        std::fs::write(directory.join("nginx.conf"), configuration).unwrap();
        let process = Command::new("nginx")
            .arg("-c")
            .arg(directory.join("nginx.conf"))
            .arg("-p")
            .arg(&directory)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is not installed: scripts/setup-test");
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self {
            process,
            directory,
            port,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[tokio::test]
async fn its_pages_arrive_as_they_are() {
    local(async {
        let nginx = Nginx::start().await;
        let proxy = Proxy::start(Setup::new(Endpoint::Localhost(nginx.port))).await;
        let mut client = proxy.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let page = client.message().await;
        assert!(page.starts_with("HTTP/1.1 200 OK\r\nServer: nginx"), "{page}");
        assert!(page.ends_with("\r\n\r\nhello from nginx\n"), "{page}");
        assert!(!page.contains("Keep-Alive"), "{page}");
        assert_eq!(proxy.backend.idle_timeout(), Duration::from_secs(31));

        client.send("GET /echo?a=%2F HTTP/1.1\r\nHost: b.example:99\r\nX-Odd: ü\r\n\r\n").await;
        assert!(client.message().await.ends_with("\r\n\r\nGET b.example /echo?a=%2F ü\n"));

        client.send("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(client.until("\r\n\r\n").await.contains("Content-Length: 1000000\r\n"));

        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let large = client.message().await;
        let body = large.split_once("\r\n\r\n").unwrap().1;
        assert!(body.bytes().enumerate().all(|(at, byte)| byte == b'a' + (at % 23) as u8));

        client.send("GET /large HTTP/1.1\r\nHost: a\r\nRange: bytes=2-4\r\n\r\n").await;
        assert!(client.message().await.ends_with("\r\n\r\ncde"));

        client.send("GET /gzip HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n").await;
        let mut bytes = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&bytes[..end]);
        assert!(head.contains("Content-Encoding: gzip"), "{head}");
        assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
        assert!(bytes.ends_with(b"\r\n0\r\n\r\n"));

        let mut client = proxy.connect().await;
        client.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(client.message().await.starts_with("HTTP/1.1 404 "));
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").await;
        assert!(client.message().await.starts_with("HTTP/1.1 405 "));
        assert_eq!(proxy.backend.idle_connections(), 1);
        assert!(proxy.reasons().iter().all(Option::is_none));
    })
    .await;
}
