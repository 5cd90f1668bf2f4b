use super::*;

struct Echo;

impl Pages for Echo {
    async fn answer(&self, target: &str) -> Answer {
        match target {
            "/none" => Answer::not_found(),
            _ => Answer::text(200, format!("this is {target}\n")),
        }
    }
}

async fn ask(request: &[u8]) -> String {
    let local = tokio::task::LocalSet::new();
    let run = async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::task::spawn_local(serve(listener, Rc::new(Echo)));
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(request).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    };
    local.run_until(run).await
}

#[tokio::test]
async fn answers_and_closes() {
    let answer = ask(b"GET /readyz?verbose HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\nthis is /readyz?verbose\n"),
        "{answer}"
    );
    let answer = ask(b"GET /none HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
}

#[tokio::test]
async fn a_head_has_no_body() {
    let answer = ask(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.contains("\r\nContent-Length: 10\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn refuses_what_is_not_served() {
    let answer = ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi").await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    let answer = ask(b"\x16\x03\x01\x02\x00\x01\x00").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let mut long = b"GET / HTTP/1.1\r\nX: ".to_vec();
    long.resize(HEAD + 100, b'x');
    let answer = ask(&long).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}
