//! CloudWatch Logs: the phase log, one stream a run; and the same lines as JSON on stdout.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use crate::model::Failure;
use crate::ports::{LogLine, PhaseLog};

use super::clients::Aws;
use super::failure::failure;

/// "The maximum number of log events in a batch is 10,000" (API: PutLogEvents).
const EVENTS_PER_BATCH: usize = 10_000;
/// "The maximum batch size is 1,048,576 bytes … plus 26 bytes for each log event" (API: PutLogEvents).
const BYTES_PER_BATCH: usize = 1_048_576;
const BYTES_PER_EVENT: usize = 26;

/// A write may take this long, in real time: a silent CloudWatch Logs must not eat the servers' time.
const SLOWEST_WRITE: Duration = Duration::from_secs(3);

impl PhaseLog for Aws {
    async fn write(&self, stream: &str, lines: &[LogLine]) -> Result<(), Failure> {
        for line in lines {
            tracing::info!(run = stream, phase = line.phase, server = line.server, "{}", line.text);
        }
        let Some(group) = &self.log_group else { return Ok(()) };
        match tokio::time::timeout(SLOWEST_WRITE, self.put_all(group, stream, lines)).await {
            Ok(written) => written,
            Err(_) => Err(Failure::unreachable("PutLogEvents", "there was no answer in 3 s")),
        }
    }
}

impl Aws {
    async fn put_all(&self, group: &str, stream: &str, lines: &[LogLine]) -> Result<(), Failure> {
        for batch in batches(lines) {
            match self.put(group, stream, batch).await {
                Err(error) if error.code == "ResourceNotFoundException" => {
                    self.create_stream(group, stream).await?;
                    self.put(group, stream, batch).await?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn put(&self, group: &str, stream: &str, lines: &[LogLine]) -> Result<(), Failure> {
        let mut request = self.logs.put_log_events().log_group_name(group).log_stream_name(stream);
        for line in lines {
            let event =
                InputLogEvent::builder().timestamp(line.at.as_millisecond()).message(&line.text).build();
            request = request.log_events(event.map_err(|error| {
                Failure::of_aws("PutLogEvents", "InvalidParameterException", &error.to_string(), None)
            })?);
        }
        let answer = request.send().await.map_err(|error| failure("PutLogEvents", &error))?;
        match answer.rejected_log_events_info() {
            None => Ok(()),
            Some(rejected) => Err(Failure::of_aws(
                "PutLogEvents",
                "RejectedLogEvents",
                &format!("CloudWatch Logs took the call and rejected events: {rejected:?}"),
                None,
            )),
        }
    }

    async fn create_stream(&self, group: &str, stream: &str) -> Result<(), Failure> {
        let answer = self.logs.create_log_stream().log_group_name(group).log_stream_name(stream).send().await;
        match answer {
            Ok(_) => Ok(()),
            // Another environment's phase of the same run was first.
            Err(error) if error.code() == Some("ResourceAlreadyExistsException") => Ok(()),
            Err(error) => Err(failure("CreateLogStream", &error)),
        }
    }
}

/// Runs of lines that each fit one PutLogEvents.
fn batches(lines: &[LogLine]) -> Vec<&[LogLine]> {
    let mut batches = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, line) in lines.iter().enumerate() {
        let size = line.text.len() + BYTES_PER_EVENT;
        if at > from && (bytes + size > BYTES_PER_BATCH || at - from == EVENTS_PER_BATCH) {
            batches.push(&lines[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += size;
    }
    if from < lines.len() {
        batches.push(&lines[from..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn lines(number: usize, bytes: usize) -> Vec<LogLine> {
        let line = LogLine {
            at: Timestamp::UNIX_EPOCH,
            phase: String::new(),
            server: None,
            text: "x".repeat(bytes),
        };
        vec![line; number]
    }

    #[test]
    fn no_lines_are_no_batch() {
        assert!(batches(&[]).is_empty());
    }

    #[test]
    fn every_line_is_in_one_batch_and_no_batch_is_over_the_limits() {
        for (number, bytes) in [(1, 1), (10_001, 1), (30, 100_000), (3, 1_048_550)] {
            let lines = lines(number, bytes);
            let batches = batches(&lines);
            assert_eq!(batches.iter().map(|batch| batch.len()).sum::<usize>(), number);
            for batch in batches {
                assert!(batch.len() <= EVENTS_PER_BATCH);
                assert!(batch.len() * (bytes + BYTES_PER_EVENT) <= BYTES_PER_BATCH);
            }
        }
    }
}
