extension Schema {
  /// Messages to receivers outside, and how far services that make them have come.
  static let deliveries = """
    CREATE TABLE delivery (
      place INTEGER PRIMARY KEY,
      receiver TEXT NOT NULL,
      id TEXT NOT NULL,
      lane TEXT,
      payload TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('pending', 'acknowledged', 'dead')),
      at INTEGER NOT NULL,
      attempts INTEGER NOT NULL CHECK (attempts >= 0),
      failure TEXT,
      UNIQUE (receiver, id)
    ) STRICT;

    CREATE INDEX delivery_state ON delivery (receiver, state, place);

    CREATE TABLE bookmark (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """

  /// When each message was put in: since when the oldest has waited.
  static let deliveryAges = """
    ALTER TABLE delivery ADD COLUMN put_at INTEGER NOT NULL DEFAULT 0;
    UPDATE delivery SET put_at = at;
    """
}
