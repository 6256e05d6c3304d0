internal import GRDB

/// The tables, as numbered migrations. A migration that has shipped is never edited; a change is a new one.
///
/// The schema defends itself: STRICT types, CHECKs on all that is counted, triggers that refuse to change what is history.
/// Amounts are nano-units; instants are nanoseconds since 1970; ids are the text that is written everywhere else.
enum Schema {
  /// Marks the file as ours (`PRAGMA application_id`): "WBRG".
  static let applicationID = 0x5742_5247

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    for (name, sql) in Self.steps {
      migrator.registerMigration(name) { database in try database.execute(sql: sql) }
    }
    return migrator
  }

  private static let steps = [
    ("0001 log", Self.log),
    ("0002 usage", Self.usage),
    ("0003 administration", Self.administration),
    ("0004 audience and idempotency", Self.audience),
    ("0005 customer sequences", Self.customerSequences),
    ("0006 losses, credit and attempts", Self.losses),
    ("0007 holds by their id alone", Self.holdsByID),
    ("0008 invoices", Self.invoices),
    ("0009 deliveries", Self.deliveries),
    ("0011 ages of deliveries", Self.deliveryAges),
  ]

  private static let log = """
    CREATE TABLE meta (
      name TEXT PRIMARY KEY,
      value ANY NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE entry (
      seq INTEGER PRIMARY KEY CHECK (seq >= 0),
      type TEXT NOT NULL,
      at_ns INTEGER NOT NULL CHECK (at_ns >= 0),
      leaf BLOB NOT NULL CHECK (length(leaf) = 32),
      line TEXT NOT NULL
    ) STRICT;

    CREATE TABLE entry_lookup (
      id TEXT PRIMARY KEY,
      seq INTEGER NOT NULL REFERENCES entry (seq)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE checkpoint (
      size INTEGER PRIMARY KEY CHECK (size >= 0),
      root BLOB NOT NULL CHECK (length(root) = 32),
      note TEXT NOT NULL
    ) STRICT;

    CREATE TABLE secret (
      name TEXT PRIMARY KEY,
      value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER entry_append BEFORE INSERT ON entry
      WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM entry)
      BEGIN SELECT RAISE (ABORT, 'entry: the log is appended to without a gap'); END;
    CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE (ABORT, 'entry is append-only'); END;
    CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE (ABORT, 'entry is append-only'); END;
    CREATE TRIGGER entry_lookup_update BEFORE UPDATE ON entry_lookup
      BEGIN SELECT RAISE (ABORT, 'entry_lookup is append-only'); END;
    CREATE TRIGGER entry_lookup_delete BEFORE DELETE ON entry_lookup
      BEGIN SELECT RAISE (ABORT, 'entry_lookup is append-only'); END;
    CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint
      BEGIN SELECT RAISE (ABORT, 'checkpoint is append-only'); END;
    CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint
      BEGIN SELECT RAISE (ABORT, 'checkpoint is append-only'); END;
    CREATE TRIGGER secret_update BEFORE UPDATE ON secret BEGIN SELECT RAISE (ABORT, 'secret is created once'); END;
    """

  private static let usage = """
    CREATE TABLE hold (
      usage TEXT PRIMARY KEY,
      boot TEXT NOT NULL,
      decision TEXT NOT NULL,
      customer TEXT NOT NULL,
      project TEXT,
      key TEXT NOT NULL,
      model TEXT NOT NULL,
      price TEXT NOT NULL,
      currency TEXT NOT NULL CHECK (length(currency) = 3),
      amount INTEGER NOT NULL CHECK (amount >= 0),
      tokens INTEGER NOT NULL CHECK (tokens BETWEEN 0 AND 1125899906842624),
      prompt_tokens INTEGER NOT NULL CHECK (prompt_tokens BETWEEN 0 AND 1125899906842624),
      held_at INTEGER NOT NULL CHECK (held_at >= 0),
      is_prepaid INTEGER NOT NULL CHECK (is_prepaid IN (0, 1)),
      delivered INTEGER NOT NULL CHECK (delivered >= 0),
      high_water INTEGER NOT NULL CHECK (high_water BETWEEN delivered AND 1125899906842624)
    ) STRICT;

    CREATE TABLE usage (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      decision TEXT NOT NULL,
      customer TEXT NOT NULL,
      project TEXT,
      key TEXT NOT NULL,
      model TEXT NOT NULL,
      price TEXT NOT NULL,
      currency TEXT NOT NULL CHECK (length(currency) = 3),
      amount INTEGER NOT NULL CHECK (amount >= 0),
      prompt_uncached INTEGER NOT NULL CHECK (prompt_uncached >= 0),
      prompt_cached INTEGER NOT NULL CHECK (prompt_cached >= 0),
      completion INTEGER NOT NULL CHECK (completion >= 0),
      training INTEGER NOT NULL CHECK (training >= 0),
      undelivered INTEGER NOT NULL CHECK (undelivered BETWEEN 0 AND 1125899906842624),
      outcome TEXT NOT NULL CHECK (outcome IN ('settled', 'voided')),
      finish TEXT NOT NULL,
      policy TEXT NOT NULL,
      source TEXT NOT NULL,
      held_at INTEGER NOT NULL CHECK (held_at >= 0),
      settled_at INTEGER NOT NULL CHECK (settled_at >= 0),
      is_prepaid INTEGER NOT NULL CHECK (is_prepaid IN (0, 1)),
      CHECK (prompt_uncached + prompt_cached + completion + training <= 1125899906842624),
      CHECK (outcome = 'settled' OR (amount = 0 AND prompt_uncached + prompt_cached + completion + training = 0))
    ) STRICT;

    CREATE INDEX usage_customer ON usage (customer, held_at);
    CREATE INDEX usage_held_at ON usage (held_at);

    CREATE TRIGGER hold_insert BEFORE INSERT ON hold WHEN EXISTS (SELECT 1 FROM usage WHERE id = NEW.usage)
      BEGIN SELECT RAISE (ABORT, 'hold: this usage is closed already'); END;
    CREATE TRIGGER usage_update BEFORE UPDATE ON usage BEGIN SELECT RAISE (ABORT, 'usage is append-only'); END;
    CREATE TRIGGER usage_delete BEFORE DELETE ON usage BEGIN SELECT RAISE (ABORT, 'usage is append-only'); END;
    """

  /// Credit is counted in whole units and a rest, because a grant may be larger than 64 bits of nano-units.
  private static let losses = """
    ALTER TABLE usage ADD COLUMN loss INTEGER NOT NULL DEFAULT 0 CHECK (loss >= 0);

    CREATE TABLE credit_use (
      credit TEXT PRIMARY KEY,
      customer TEXT NOT NULL,
      currency TEXT NOT NULL CHECK (length(currency) = 3),
      used_units INTEGER NOT NULL CHECK (used_units >= 0),
      used_nano INTEGER NOT NULL CHECK (used_nano BETWEEN 0 AND 999999999),
      expired_units INTEGER NOT NULL CHECK (expired_units >= 0),
      expired_nano INTEGER NOT NULL CHECK (expired_nano BETWEEN 0 AND 999999999)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE attempt (
      usage TEXT NOT NULL,
      ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
      engine TEXT NOT NULL,
      outcome TEXT NOT NULL,
      reason TEXT,
      prompt_uncached INTEGER NOT NULL CHECK (prompt_uncached >= 0),
      prompt_cached INTEGER NOT NULL CHECK (prompt_cached >= 0),
      completion INTEGER NOT NULL CHECK (completion >= 0),
      source TEXT NOT NULL,
      nanoseconds INTEGER NOT NULL CHECK (nanoseconds >= 0),
      PRIMARY KEY (usage, ordinal)
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER attempt_update BEFORE UPDATE ON attempt BEGIN SELECT RAISE (ABORT, 'attempt is append-only'); END;
    CREATE TRIGGER attempt_delete BEFORE DELETE ON attempt BEGIN SELECT RAISE (ABORT, 'attempt is append-only'); END;
    """

  /// Every request opens and closes a hold: without a row number of its own it costs one tree and not two, each time.
  private static let holdsByID = """
    CREATE TABLE hold_by_id (
      usage TEXT PRIMARY KEY,
      boot TEXT NOT NULL,
      decision TEXT NOT NULL,
      customer TEXT NOT NULL,
      project TEXT,
      key TEXT NOT NULL,
      model TEXT NOT NULL,
      price TEXT NOT NULL,
      currency TEXT NOT NULL CHECK (length(currency) = 3),
      amount INTEGER NOT NULL CHECK (amount >= 0),
      tokens INTEGER NOT NULL CHECK (tokens BETWEEN 0 AND 1125899906842624),
      prompt_tokens INTEGER NOT NULL CHECK (prompt_tokens BETWEEN 0 AND 1125899906842624),
      held_at INTEGER NOT NULL CHECK (held_at >= 0),
      is_prepaid INTEGER NOT NULL CHECK (is_prepaid IN (0, 1)),
      delivered INTEGER NOT NULL CHECK (delivered >= 0),
      high_water INTEGER NOT NULL CHECK (high_water BETWEEN delivered AND 1125899906842624)
    ) STRICT, WITHOUT ROWID;

    INSERT INTO hold_by_id (usage, boot, decision, customer, project, key, model, price, currency, amount, tokens, prompt_tokens,
        held_at, is_prepaid, delivered, high_water)
      SELECT usage, boot, decision, customer, project, key, model, price, currency, amount, tokens, prompt_tokens, held_at,
        is_prepaid, delivered, high_water FROM hold;
    DROP TABLE hold;
    ALTER TABLE hold_by_id RENAME TO hold;

    CREATE TRIGGER hold_insert BEFORE INSERT ON hold WHEN EXISTS (SELECT 1 FROM usage WHERE id = NEW.usage)
      BEGIN SELECT RAISE (ABORT, 'hold: this usage is closed already'); END;
    """

  private static let administration = """
    CREATE TABLE object (
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      customer TEXT,
      body TEXT NOT NULL,
      salt BLOB NOT NULL,
      PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    """

  private static let audience = """
    CREATE TABLE active_user (
      month INTEGER NOT NULL,
      scope TEXT NOT NULL,
      fingerprint INTEGER NOT NULL,
      PRIMARY KEY (month, scope, fingerprint)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE idempotency (
      customer TEXT NOT NULL,
      key_digest BLOB NOT NULL CHECK (length(key_digest) = 32),
      request_digest BLOB NOT NULL CHECK (length(request_digest) = 32),
      usage TEXT NOT NULL,
      expires INTEGER NOT NULL,
      PRIMARY KEY (customer, key_digest)
    ) STRICT, WITHOUT ROWID;

    CREATE INDEX idempotency_expires ON idempotency (expires);
    """

  private static let customerSequences = """
    CREATE TABLE customer_sequence (
      customer TEXT PRIMARY KEY,
      next INTEGER NOT NULL CHECK (next > 0)
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER customer_sequence_update BEFORE UPDATE ON customer_sequence WHEN NEW.next <= OLD.next
      BEGIN SELECT RAISE (ABORT, 'customer_sequence only grows'); END;
    CREATE TRIGGER customer_sequence_delete BEFORE DELETE ON customer_sequence
      BEGIN SELECT RAISE (ABORT, 'customer_sequence only grows'); END;
    """
}
