//! Talks to running programs over their Unix sockets, all those of one root as if they were one server.
