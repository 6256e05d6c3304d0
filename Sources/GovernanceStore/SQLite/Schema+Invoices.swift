extension Schema {
  /// Finalised documents. An amount may be more than 64 bits of nano-units hold, so the gross is a decimal text.
  static let invoices = """
    CREATE TABLE invoice (
      place INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      series TEXT NOT NULL,
      number TEXT NOT NULL UNIQUE,
      customer TEXT NOT NULL,
      period TEXT NOT NULL CHECK (length(period) = 7),
      currency TEXT NOT NULL CHECK (length(currency) = 3),
      gross TEXT NOT NULL,
      corrects TEXT REFERENCES invoice (id),
      finalised_at INTEGER NOT NULL CHECK (finalised_at >= 0),
      digest BLOB NOT NULL CHECK (length(digest) = 32),
      body TEXT NOT NULL
    ) STRICT;

    CREATE UNIQUE INDEX invoice_period ON invoice (customer, period, currency) WHERE corrects IS NULL;

    CREATE TRIGGER invoice_update BEFORE UPDATE ON invoice BEGIN SELECT RAISE (ABORT, 'invoice is append-only'); END;
    CREATE TRIGGER invoice_delete BEFORE DELETE ON invoice BEGIN SELECT RAISE (ABORT, 'invoice is append-only'); END;
    """
}
