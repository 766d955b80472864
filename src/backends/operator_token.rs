//! The operator's token: a secret in the data directory, by which commands reach a running server.
//!
//! Whoever can read the data directory can do everything anyway. The token is made anew at each start,
//! and belongs to nobody's session.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;

/// The name of the file with the token.
pub const TOKEN: &str = "operator-token";
/// The name of the file with the address of the running server: `http://127.0.0.1:8000`.
pub const ADDRESS: &str = "operator-address";

/// Makes a token, and writes it into this data directory for its owner alone. What an earlier server
/// left there is removed.
///
/// # Errors
///
/// When it cannot be written, or the system gives no random numbers.
pub fn make(data: &Path) -> io::Result<String> {
    remove(&data.join(ADDRESS))?;
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits).map_err(io::Error::other)?;
    let token = HEXLOWER.encode(&bits);
    write(data, TOKEN, &token)?;
    Ok(token)
}

/// Writes the address of the running server beside the token, now that it listens.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_address(data: &Path, address: &str) -> io::Result<()> {
    write(data, ADDRESS, address)
}

/// Reads the address and the token of the running server.
///
/// # Errors
///
/// When there are none, or they cannot be read.
pub fn read(data: &Path) -> io::Result<(String, String)> {
    let read = |name| fs::read_to_string(data.join(name)).map(|text| text.trim().to_owned());
    Ok((read(ADDRESS)?, read(TOKEN)?))
}

fn write(data: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = data.join(name);
    // A file that was there keeps its mode, and may be a link that leads elsewhere.
    remove(&path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
