using Dapper;
using Microsoft.Data.Sqlite;
using Temper.Bench.Planning;

namespace Temper.Bench.Store;

public enum StageState { Waiting, Running, Done, Failed }

/// <summary>What the ledger knows of a stage.</summary>
/// <param name="Computed">How often it was computed to the end; never more than once.</param>
/// <param name="Deaths">How often its worker died while it was being computed.</param>
public sealed record StageRow(string Key, string Kind, string Title, StageState State, string? Worker, double Seconds, string? Reason, int Computed, int Deaths);

/// <summary>Who computes what, in SQLite beside the objects. Claims are leases: a dead worker's stages go back to those that wait.</summary>
public sealed class StageLedger : IDisposable
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS stages (
          key TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, spec TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,
          worker TEXT, lease_until INTEGER, seconds REAL NOT NULL DEFAULT 0, reason TEXT, computed INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE IF NOT EXISTS inputs (stage TEXT NOT NULL, input TEXT NOT NULL, PRIMARY KEY (stage, input)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS inputs_by_input ON inputs (input);
        CREATE TABLE IF NOT EXISTS members (study TEXT NOT NULL, stage TEXT NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (study, stage)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS studies (id TEXT PRIMARY KEY, name TEXT NOT NULL, started TEXT NOT NULL);
        """;

    private const string Columns = "key AS Key, kind AS Kind, title AS Title, state AS State, worker AS Worker, seconds AS Seconds, reason AS Reason, computed AS Computed, deaths AS Deaths";

    private readonly SqliteConnection _database;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();

    public StageLedger(string root, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        try
        {
            _database = new(new SqliteConnectionStringBuilder { DataSource = Path.Combine(root, "ledger.db"), DefaultTimeout = 30, Pooling = false }.ToString());
            _database.Open();
            _database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 30000;");
            _database.Execute(Schema);
        }
        catch (SqliteException e)
        {
            throw new StoreException($"{root}/ledger.db: found {e.Message}, expected a ledger that can be read and written", e);
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Makes a study's stages known.</summary>
    /// <param name="retry">Lets those that failed before wait again.</param>
    public void Enter(StagePlan plan, string name, bool retry = true) => Locked(transaction =>
    {
        _database.Execute("INSERT OR REPLACE INTO studies (id, name, started) VALUES (@id, @name, @started)",
            new { id = plan.StudyId, name, started = _time.GetUtcNow().ToString("O") }, transaction);
        _database.Execute("DELETE FROM members WHERE study = @id", new { id = plan.StudyId }, transaction);
        for (var place = 0; place < plan.Stages.Count; place++)
        {
            var stage = plan.Stages[place];
            _database.Execute("INSERT OR IGNORE INTO stages (key, kind, title, spec) VALUES (@Key, @Kind, @Title, @spec)",
                new { stage.Key, stage.Kind, stage.Title, spec = stage.ToJson() }, transaction);
            _database.Execute("INSERT OR REPLACE INTO members (study, stage, place) VALUES (@study, @Key, @place)", new { study = plan.StudyId, stage.Key, place }, transaction);
            foreach (var input in stage.Inputs.Values.Distinct(StringComparer.Ordinal))
            {
                _database.Execute("INSERT OR IGNORE INTO inputs (stage, input) VALUES (@Key, @input)", new { stage.Key, input }, transaction);
            }
        }

        if (retry)
        {
            _database.Execute("UPDATE stages SET state = 0, reason = NULL, deaths = 0 WHERE state = 3 AND key IN (SELECT stage FROM members WHERE study = @id)", new { id = plan.StudyId }, transaction);
        }

        return true;
    });

    /// <summary>The next stage whose inputs are done, under a lease; null if none is ready now.</summary>
    public Stage? Claim(string study, string worker) => Locked(transaction =>
    {
        _database.Execute("UPDATE stages SET state = 0, worker = NULL WHERE state = 1 AND lease_until < @now", new { now = Now }, transaction);
        var spec = _database.QueryFirstOrDefault<string>("""
            SELECT s.spec FROM members m JOIN stages s ON s.key = m.stage
            WHERE m.study = @study AND s.state = 0
              AND NOT EXISTS (SELECT 1 FROM inputs i JOIN stages t ON t.key = i.input WHERE i.stage = s.key AND t.state <> 2)
            ORDER BY m.place LIMIT 1
            """, new { study }, transaction);
        if (spec is null)
        {
            return null;
        }

        var stage = Stage.FromJson(spec);
        _database.Execute("UPDATE stages SET state = 1, worker = @worker, lease_until = @until WHERE key = @Key", new { worker, until = Now + (long)Lease.TotalMilliseconds, stage.Key }, transaction);
        return stage;
    });

    /// <summary>Keeps the leases of a living worker.</summary>
    public void Renew(string worker) => Locked(transaction =>
        _database.Execute("UPDATE stages SET lease_until = @until WHERE state = 1 AND worker = @worker", new { worker, until = Now + (long)Lease.TotalMilliseconds }, transaction));

    /// <param name="computed">False if the object was there already.</param>
    public void Finish(string key, double seconds, bool computed) => Locked(transaction =>
        _database.Execute("UPDATE stages SET state = 2, worker = NULL, reason = NULL, seconds = CASE WHEN @computed THEN @seconds ELSE seconds END, computed = computed + @computed WHERE key = @key",
            new { key, seconds, computed }, transaction));

    /// <summary>Fails a stage, and with it all that needs it.</summary>
    public void Fail(string key, string reason) => Locked(transaction =>
    {
        _database.Execute("UPDATE stages SET state = 3, worker = NULL, reason = @reason WHERE key = @key", new { key, reason }, transaction);
        return _database.Execute("""
            WITH RECURSIVE after (key) AS (SELECT stage FROM inputs WHERE input = @key UNION SELECT i.stage FROM inputs i JOIN after a ON i.input = a.key)
            UPDATE stages SET state = 3, reason = @reason WHERE state IN (0, 1) AND key IN (SELECT key FROM after)
            """, new { key, reason }, transaction);
    });

    /// <summary>Gives stages back that nobody computes any more.</summary>
    public void Release(Func<string, bool> isAlive) => Locked(transaction =>
    {
        foreach (var worker in _database.Query<string>("SELECT DISTINCT worker FROM stages WHERE state = 1", transaction: transaction).Where(w => !isAlive(w)).ToArray())
        {
            _database.Execute("UPDATE stages SET state = 0, worker = NULL WHERE state = 1 AND worker = @worker", new { worker }, transaction);
        }

        return true;
    });

    /// <summary>A worker died: its stages wait again, and those that have now killed their worker <paramref name="limit"/> times fail.</summary>
    /// <param name="worker">The worker, or the process of several.</param>
    /// <returns>Whether it held any stage.</returns>
    public bool Bury(string worker, string reason, int limit)
    {
        var (held, failed) = Locked(transaction =>
        {
            var count = _database.Execute("UPDATE stages SET deaths = deaths + 1, state = 0, worker = NULL WHERE state = 1 AND worker LIKE @worker || '%'", new { worker }, transaction);
            return (count, _database.Query<string>("SELECT key FROM stages WHERE state = 0 AND deaths >= @limit", new { limit }, transaction).ToArray());
        });
        foreach (var key in failed)
        {
            Fail(key, reason);
        }

        return held > 0;
    }

    /// <summary>How many stages of a study are neither done nor failed.</summary>
    public int Open(string study)
    {
        lock (_lock)
        {
            return _database.ExecuteScalar<int>("SELECT COUNT(*) FROM members m JOIN stages s ON s.key = m.stage WHERE m.study = @study AND s.state < 2", new { study });
        }
    }

    /// <summary>The keys of all stages that failed, of whatever study.</summary>
    public IReadOnlySet<string> Failed()
    {
        lock (_lock)
        {
            return _database.Query<string>("SELECT key FROM stages WHERE state = 3").ToHashSet(StringComparer.Ordinal);
        }
    }

    /// <summary>The stages of a study, in the order of its plan.</summary>
    public IReadOnlyList<StageRow> Rows(string study)
    {
        lock (_lock)
        {
            return [.. _database.Query<Raw>($"SELECT {Columns} FROM members m JOIN stages s ON s.key = m.stage WHERE m.study = @study ORDER BY m.place", new { study }).Select(r => r.Row())];
        }
    }

    public void Dispose() => _database.Dispose();

    private T Locked<T>(Func<SqliteTransaction, T> work)
    {
        lock (_lock)
        {
            try
            {
                using var transaction = _database.BeginTransaction(deferred: false);
                var result = work(transaction);
                transaction.Commit();
                return result;
            }
            catch (SqliteException e)
            {
                throw new StoreException($"{_database.DataSource}: found {e.Message}, expected a ledger that can be written and has room", e);
            }
        }
    }

    // SQLite gives 64-bit numbers
    private sealed class Raw
    {
        public string Key { get; set; } = "";
        public string Kind { get; set; } = "";
        public string Title { get; set; } = "";
        public long State { get; set; }
        public string? Worker { get; set; }
        public double Seconds { get; set; }
        public string? Reason { get; set; }
        public long Computed { get; set; }
        public long Deaths { get; set; }

        public StageRow Row() => new(Key, Kind, Title, (StageState)State, Worker, Seconds, Reason, (int)Computed, (int)Deaths);
    }
}
