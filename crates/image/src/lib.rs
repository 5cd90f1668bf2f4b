//! Images: references, the content-addressed store, unpacking, import and load.
