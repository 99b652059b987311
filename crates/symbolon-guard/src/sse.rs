//! Server-sent events, read strictly and with a bound.
//!
//! The format is the HTML standard's section 9.2.6. The authority writes `id`, `event` and `data`
//! lines ended by LF; anything that is not UTF-8 or longer than the bound ends the stream: whoever
//! answers like that is not the authority.

/// The longest line that is buffered, in bytes. A settings entry is about one kilobyte.
const LONGEST_LINE: usize = 64 * 1024;

/// The longest data of one event, in bytes.
const LONGEST_DATA: usize = 64 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its `event`; empty when there was none.
    pub(crate) name: String,
    /// Its `id`; empty when there was none.
    pub(crate) id: String,
    /// Its `data` lines, joined by LF.
    pub(crate) data: String,
}

/// The bytes are no such stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadStream {
    /// A line or an event is longer than any that the authority writes.
    #[error("an event longer than 64 KiB")]
    TooLong,
    /// Not text.
    #[error("not UTF-8")]
    NotUtf8,
}

/// Turns chunks of bytes into events.
#[derive(Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
}

impl Parser {
    /// Takes the next chunk and appends the events that it completes to `events`.
    pub(crate) fn push(&mut self, chunk: &[u8], events: &mut Vec<Event>) -> Result<(), BadStream> {
        let mut lines = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            if self.line.len() + part.len() > LONGEST_LINE {
                return Err(BadStream::TooLong);
            }
            self.line.extend_from_slice(part);
            if lines.peek().is_none() {
                break;
            }
            let line = std::mem::take(&mut self.line);
            let line = std::str::from_utf8(&line).map_err(|_| BadStream::NotUtf8)?;
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                if std::mem::take(&mut self.has_data) {
                    events.push(event);
                }
            } else {
                self.field(line)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, line: &str) -> Result<(), BadStream> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                if self.event.data.len() + value.len() >= LONGEST_DATA {
                    return Err(BadStream::TooLong);
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.event.name),
            "id" if !value.contains('\0') => value.clone_into(&mut self.event.id),
            // Comments have an empty name; unknown fields are ignored by the standard.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn events(chunks: &[&[u8]]) -> Result<Vec<Event>, BadStream> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        for chunk in chunks {
            parser.push(chunk, &mut events)?;
        }
        Ok(events)
    }

    const STREAM: &[u8] = b": hi\n\nevent: hello\ndata: {\"head\":\"1.2\"}\n\nid: 1.3\r\nevent: entry\r\ndata: {\"\xed\x82\xa4\"}\r\n\r\n:\n\nid: 1.4\n";

    #[test]
    fn chunks_may_end_anywhere() {
        let whole = events(&[STREAM]).unwrap();
        assert_eq!(whole.len(), 2);
        assert_eq!(
            whole.last(),
            Some(&Event {
                name: "entry".to_owned(),
                id: "1.3".to_owned(),
                data: "{\"키\"}".to_owned()
            })
        );
        for cut in 0..STREAM.len() {
            let (a, b) = STREAM.split_at(cut);
            assert_eq!(events(&[a, b]).as_ref(), Ok(&whole), "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(events(&bytes), Ok(whole));
    }

    #[test]
    fn an_endless_line_or_event_ends_the_stream() {
        let line = vec![b'a'; 1000];
        let chunks: Vec<&[u8]> = (0..100).map(|_| line.as_slice()).collect();
        assert_eq!(events(&chunks), Err(BadStream::TooLong));
        let data = [b"data: ".as_slice(), &line, b"\n"].concat();
        let chunks: Vec<&[u8]> = (0..100).map(|_| data.as_slice()).collect();
        assert_eq!(events(&chunks), Err(BadStream::TooLong));
    }

    #[test]
    fn other_bytes_end_the_stream() {
        assert_eq!(events(&[b"data: \xff\n\n"]), Err(BadStream::NotUtf8));
    }
}
