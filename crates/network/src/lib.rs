//! Pod networks: addresses, links, masquerading, published ports.
