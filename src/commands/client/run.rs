//! `houston run`: a command that answers messages.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio, exit};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use clap::Args;
use data_encoding::HEXLOWER;
use futures::future::select_all;
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::events::Events;
use super::remote::{Failure, Remote, RemoteArgs, channel_path, message_path};
use super::{Deadline, PROGRAM, counts, shortened, text_of};
use crate::domain::message::Text;

/// Number of bytes of a command's output from which on no more is read into memory: an answer is shorter.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;

#[derive(Args)]
pub(in crate::commands) struct RunArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The channel whose messages are answered.
    #[arg(long, value_name = "CHANNEL")]
    on: String,
    /// The longest time that the command may take for a message: 90s, 10m. Then it is killed, with all in
    /// its process group, and the answer says so.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub(super) fn run(args: &RunArgs) -> Result<u8, Failure> {
    let remote = Remote::of(&args.remote);
    let running = RunningGroup::default();
    if args.timeout.is_some() {
        end_with_us(running.clone());
    }
    let me = remote.me()?["id"].as_str().unwrap_or_default().to_owned();
    let path = channel_path(&args.on);
    let history = remote.get(&format!("{path}/messages"))?;
    let cursor = history["cursor"].as_str().map(ToOwned::to_owned);
    let latest = history["messages"].as_array().and_then(|messages| messages.last());
    let mut last = latest.and_then(|message| message["seq"].as_u64()).unwrap_or_default();
    let events = Events::listen(&remote, format!("{path}/events"), cursor);
    loop {
        let event = events.next(Deadline(None))?;
        if event.named("channel-deleted").is_some() {
            return Ok(0);
        }
        let Some(message) = event.named("message") else { continue };
        // After a gap everything comes again.
        let seq = message["seq"].as_u64().unwrap_or_default();
        if seq <= last {
            continue;
        }
        last = seq;
        if counts(&message["author"], &me) {
            answer(&remote, args, &running, &message)?;
        }
    }
}

/// Runs the command for a message, and sends its output.
fn answer(
    remote: &Remote,
    args: &RunArgs,
    running: &RunningGroup,
    message: &Value,
) -> Result<(), Failure> {
    let Output { said, killed_after } = output_for(args, running, message)?;
    let note = killed_after.map(|time| {
        format!("(It took longer than {} and was ended.)", humantime::format_duration(time))
    });
    let room = Text::MAX_CHARS - note.as_ref().map_or(0, |note| note.chars().count() + 2);
    let said = shortened(said.trim(), room);
    let parts: Vec<_> =
        [Some(said), note].into_iter().flatten().filter(|it| !it.is_empty()).collect();
    if parts.is_empty() {
        return Ok(());
    }
    let id = answer_id(message["id"].as_str().unwrap_or_default());
    let text = parts.join("\n\n");
    match remote.put(&message_path(&args.on, &id), &json!({ "text": text })) {
        Ok(_) => Ok(()),
        Err(failure @ Failure::NotSignedIn { .. }) => Err(failure),
        // The next message may be answered all the same.
        Err(failure) => {
            eprintln!("{PROGRAM}: an answer was not sent: {failure}");
            Ok(())
        }
    }
}

/// The output of a command.
#[derive(Default)]
struct Output {
    said: String,
    /// The time after which the command was killed, if it was.
    killed_after: Option<Duration>,
}

fn output_for(args: &RunArgs, running: &RunningGroup, message: &Value) -> Result<Output, Failure> {
    let [program, arguments @ ..] = &args.command[..] else { return Ok(Output::default()) };
    let text = text_of(message).to_owned();
    let mut command = Command::new(program);
    if args.timeout.is_some() {
        // What it starts is in it, too, and is killed with it, unless it leaves on purpose (setsid).
        command.process_group(0);
    }
    let mut group = running.lock();
    let child = command
        .args(arguments)
        // The token is not for a command that strangers give their words to.
        .env_remove("HOUSTON_TOKEN")
        .env("HOUSTON_TEXT", &text)
        .env("HOUSTON_AUTHOR", message["author"]["display_name"].as_str().unwrap_or_default())
        .env("HOUSTON_CHANNEL", &args.on)
        .env("HOUSTON_MESSAGE", message.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let failed = |source| Failure::Command { command: program.clone(), source };
    let mut child = child.map_err(failed)?;
    *group = args.timeout.map(|_| Pid::from_child(&child));
    drop(group);
    let input = child.stdin.take();
    thread::spawn(move || {
        // The command need not read it.
        input.map(|mut input| input.write_all(text.as_bytes()))
    });
    let (output, ended) = wait(&mut child, args.timeout);
    let killed_after = args.timeout.filter(|_| !ended);
    if killed_after.is_some() {
        // All of it may have ended just now.
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    }
    // From then on its id may be another's.
    *running.lock() = None;
    let status: ExitStatus = child.wait().map_err(failed)?;
    if !status.success() {
        eprintln!("{PROGRAM}: `{program}`: {status}");
    }
    let said = String::from_utf8_lossy(&output).replace('\0', "\u{FFFD}");
    Ok(Output { said, killed_after })
}

/// The process group of the command that runs, where it has one of its own.
type RunningGroup = Arc<Mutex<Option<Pid>>>;

/// Sees to it that a signal which ends this process ends the command, too: in a group of its own it would
/// not hear of it, and nobody would be there to end it in time.
fn end_with_us(running: RunningGroup) {
    let ignored = ignored_signals();
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ];
    // What nohup has us ignore does not end us: listening to it would undo that.
    let kinds = kinds.into_iter().filter(|kind| ignored >> (kind.as_raw_value() - 1) & 1 == 0);
    let kinds: Vec<_> = kinds.collect();
    if kinds.is_empty() {
        return;
    }
    let wait = async move || {
        let mut signals: Vec<_> = kinds.into_iter().map(|kind| (kind, signal(kind))).collect();
        let heard = signals.iter_mut().filter_map(|(kind, signal)| {
            let signal = signal.as_mut().ok()?;
            Some(Box::pin(async move {
                signal.recv().await;
                kind.as_raw_value()
            }))
        });
        let (number, ..) = select_all(heard).await;
        number
    };
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let number = runtime.expect("a runtime").block_on(wait());
        // Held to the end, so that nothing is started any more.
        let group = running.lock();
        if let Some(group) = *group {
            // It may have ended just now.
            let _ = kill_process_group(group, Signal::KILL);
        }
        exit(128 + number);
    });
}

/// The signals that this process ignores, as bits, the lowest of which is signal 1; none where the system
/// does not tell (it is Linux that does).
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or_default()
}

/// Waits until a command has ended and its output, too, or the time is over. Returns the beginning of
/// the output, and whether all of it has ended. The process is not reaped: its id stays its own.
fn wait(child: &mut Child, timeout: Option<Duration>) -> (Vec<u8>, bool) {
    let (process, deadline) = (Pid::from_child(child), Deadline::after(timeout));
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take()
        && !read_to_end(stdout, deadline, &mut output)
    {
        return (output, false);
    }
    let (until_end, end) = sync_channel::<()>(0);
    thread::spawn(move || {
        // Where that fails there is nothing to wait for.
        let _ = waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        drop(until_end);
    });
    let ended = match deadline.left() {
        None => end.recv().is_err(),
        Some(left) => end.recv_timeout(left) == Err(RecvTimeoutError::Disconnected),
    };
    (output, ended)
}

/// Reads a command's output to its end, or until the deadline, and keeps its beginning. Returns whether
/// that was the end. Who still has the other side then, outside the command's group, finds it closed.
fn read_to_end(mut stdout: ChildStdout, deadline: Deadline, output: &mut Vec<u8>) -> bool {
    let mut piece = [0; 8 * 1024];
    loop {
        let left = deadline.left();
        if left == Some(Duration::ZERO) {
            return false;
        }
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(&stdout, PollFlags::IN)], left.as_ref()) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return true,
        }
        match stdout.read(&mut piece) {
            Ok(length @ 1..) if output.len() < MAX_OUTPUT_BYTES => {
                output.extend_from_slice(&piece[..length]);
            }
            Ok(1..) => {}
            _ => return true,
        }
    }
}

/// The id of the answer to a message: always the same, so that it is never answered twice.
fn answer_id(message: &str) -> String {
    let digest = Sha256::digest(message.as_bytes());
    format!("answer-{}", HEXLOWER.encode(&digest[..16]))
}
