//! The pages, as they come from the server.
