//! The contract of stores of files, for those of one process.

pub(crate) mod memory;

use houston::backends::files::Files;

use self::memory::Memory;
use crate::contract::blobs::*;
use crate::contract::blobs_contract;

blobs_contract! {{
    files => async |directory| Files::open(directory).expect("a directory"),
    memory_model => async |_| Memory::default(),
}}
