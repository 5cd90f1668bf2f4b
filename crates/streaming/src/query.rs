//! Which streams a request for exec or attach asks for.

use manifest::meta::status::Status;

/// The streams of an exec or attach, as the query of its URL names them (`PodExecOptions`, `PodAttachOptions`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// The client sends standard input.
    pub stdin: bool,
    /// The client takes standard output.
    pub stdout: bool,
    /// The client takes standard error; never with a terminal, which has one output.
    pub stderr: bool,
    /// There is a terminal, whose size the client tells.
    pub tty: bool,
}

impl Streams {
    /// Reads them from a URL's query, such as `command=sh&stdin=true&stdout=true&tty=true`. Other parameters are
    /// passed over. Standard error beside a terminal is dropped, as the kubelet does.
    ///
    /// # Errors
    ///
    /// 400 with the kubelet's words where no stream is asked for.
    pub fn from_query(query: &str) -> Result<Self, Box<Status>> {
        let mut streams = Self::default();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // What Go's strconv.ParseBool takes for true.
            let value = matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True");
            match name {
                "stdin" => streams.stdin = value,
                "stdout" => streams.stdout = value,
                "stderr" => streams.stderr = value,
                "tty" => streams.tty = value,
                _ => {}
            }
        }
        streams.stderr &= !streams.tty;
        if streams.stdin || streams.stdout || streams.stderr {
            Ok(streams)
        } else {
            Err(Box::new(Status::bad_request(
                "you must specify at least 1 of stdin, stdout, stderr",
            )))
        }
    }

    /// Writes them as part of a URL's query: `stdin=true&stdout=true`.
    #[must_use]
    pub fn to_query(self) -> String {
        let parameters = [
            (self.stdin, "stdin=true"),
            (self.stdout, "stdout=true"),
            (self.stderr, "stderr=true"),
            (self.tty, "tty=true"),
        ];
        let asked: Vec<&str> = parameters
            .iter()
            .filter_map(|&(asked, text)| asked.then_some(text))
            .collect();
        asked.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_it_is_written() {
        let streams = Streams {
            stdin: true,
            stdout: true,
            stderr: false,
            tty: true,
        };
        let query = format!("command=sh&command=-c&{}&container=a", streams.to_query());
        assert_eq!(Streams::from_query(&query), Ok(streams));
    }

    #[test]
    fn a_terminal_has_no_standard_error() {
        let streams = Streams::from_query("stdout=1&stderr=1&tty=1").expect("streams");
        assert!(!streams.stderr);
    }

    #[test]
    fn a_request_for_nothing_is_refused() {
        let status = Streams::from_query("command=true&stdout=false").expect_err("nothing");
        assert_eq!(status.code, 400);
        assert_eq!(
            status.message,
            "you must specify at least 1 of stdin, stdout, stderr"
        );
    }
}
