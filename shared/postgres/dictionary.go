package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cost-agent/cost-agent/shared/focus"
	"github.com/cost-agent/cost-agent/shared/tenant"
)

// entry is one value of the dictionary. Its id is known once resolve has run.
type entry struct {
	id    int32
	kind  kind
	hash  [16]byte
	value []byte // JSON
}

// dictionary gives texts their numbers during one load. Loads of a tenant run one at a time, so new numbers are given
// here, without asking the database for each.
type dictionary struct {
	tenant  tenant.ID
	last    int32
	known   map[string]*entry
	tagSets map[unsafe.Pointer]tagSet
	weight  int // bytes that known holds
	recent  []recent
	fresh   []*entry
	key     []byte
}

// tagSet remembers the number of a map that rows share, and keeps the map alive so that its address stays its own.
type tagSet struct {
	tags  map[string]string
	entry *entry
}

// maxKnown bounds the memory of the dictionary, in bytes of text.
const maxKnown = 24 << 20

func newDictionary(ctx context.Context, tx pgx.Tx, t tenant.ID) (*dictionary, error) {
	d := &dictionary{tenant: t, recent: make([]recent, 1<<recentBits)}
	d.forget()
	const sql = `select coalesce(max(id), 0) from dictionary`
	return d, tx.QueryRow(ctx, sql).Scan(&d.last)
}

// forget begins anew; what was known can be looked up again.
func (d *dictionary) forget() {
	d.known, d.tagSets, d.weight = map[string]*entry{}, map[unsafe.Pointer]tagSet{}, 0
}

// codes are the entries of one row, by kind.
type codes [kinds]*entry

// code finds the entries of a row. New ones get their id by resolve.
func (d *dictionary) code(row *focus.Row, c *codes) {
	for k := range kindTags {
		c[k] = d.codeTexts(k, row)
	}
	c[kindTags] = d.codeTags(row.Tags)
}

// recent is an entry with its texts. The reader mostly gives the same string for the same text, so the addresses of the
// texts say where to look, and comparing the texts ends with comparing their addresses. A text at another address is just
// not found here.
type recent struct {
	kind  kind
	texts [mostTexts]string
	entry *entry
}

const (
	mostTexts  = 5 // of a kind
	recentBits = 14
	// maxRecent is how many bytes of text are worth keeping, so that all of them together stay small.
	maxRecent = 1 << 10
)

func (d *dictionary) codeTexts(k kind, row *focus.Row) *entry {
	const golden = 0x9E3779B97F4A7C15 // Fibonacci hashing: the upper bits depend on all of them
	var texts [mostTexts]string
	hash, length := uint64(k), 0
	for i, column := range columnsOf[k] {
		text := *column.field(row)
		texts[i] = text
		address := uintptr(unsafe.Pointer(unsafe.StringData(text))) //nolint:gosec // a number to spread by, never followed
		hash = (hash ^ uint64(address)) * golden
		length += len(text)
	}
	r := &d.recent[hash>>(64-recentBits)]
	if r.entry != nil && r.kind == k && r.texts == texts {
		return r.entry
	}
	e := d.lookUpTexts(k, texts[:len(columnsOf[k])])
	if length <= maxRecent {
		*r = recent{k, texts, e}
	}
	return e
}

func (d *dictionary) lookUpTexts(k kind, texts []string) *entry {
	key := d.key[:0]
	key = append(key, byte(k))
	for _, text := range texts {
		key = append(append(key, text...), 0) // no text holds a NUL
	}
	d.key = key
	if e, ok := d.known[string(key)]; ok {
		return e
	}
	return d.remember(k, slices.Clone(texts)) // so that the caller's array stays off the heap
}

func (d *dictionary) codeTags(tags map[string]string) *entry {
	address := reflect.ValueOf(tags).UnsafePointer()
	if set, ok := d.tagSets[address]; ok {
		return set.entry
	}
	key := d.key[:0]
	key = append(key, byte(kindTags))
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		key = append(append(append(append(key, name...), 0), tags[name]...), 0)
	}
	d.key = key
	e, ok := d.known[string(key)]
	if !ok {
		if tags == nil {
			tags = map[string]string{}
		}
		e = d.remember(kindTags, tags)
	}
	d.tagSets[address] = tagSet{tags, e}
	d.weight += 64
	return e
}

// remember adds the value whose key stands in d.key.
func (d *dictionary) remember(k kind, value any) *entry {
	hash := sha256.Sum256(d.key)
	e := &entry{kind: k, hash: [16]byte(hash[:]), value: toJSON(value)}
	d.known[string(d.key)] = e
	d.weight += len(d.key) + len(e.value) + 128
	d.fresh = append(d.fresh, e)
	return e
}

// toJSON writes texts, lists and maps of them, which always have a JSON form.
func toJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

// resolve gives every entry its number: the one in the database, or the next one, which it stores.
func (d *dictionary) resolve(ctx context.Context, tx pgx.Tx) error {
	if len(d.fresh) == 0 {
		return nil
	}
	if err := d.lookUp(ctx, tx); err != nil {
		return err
	}
	if err := d.store(ctx, tx); err != nil {
		return err
	}
	for _, e := range d.fresh {
		e.value = nil // it is stored, and would only take memory
	}
	d.fresh = d.fresh[:0]
	if d.weight > maxKnown {
		d.forget()
	}
	return nil
}

func (d *dictionary) lookUp(ctx context.Context, tx pgx.Tx) error {
	const sql = `select id, hash from dictionary where hash = any($1::uuid[])`
	hashes := make([]pgtype.UUID, len(d.fresh))
	byHash := make(map[[16]byte]*entry, len(d.fresh))
	for i, e := range d.fresh {
		hashes[i] = pgtype.UUID{Bytes: e.hash, Valid: true}
		byHash[e.hash] = e
	}
	rows, err := tx.Query(ctx, sql, hashes)
	if err != nil {
		return err
	}
	var id int32
	var hash pgtype.UUID
	_, err = pgx.ForEachRow(rows, []any{&id, &hash}, func() error {
		byHash[hash.Bytes].id = id
		return nil
	})
	return err
}

func (d *dictionary) store(ctx context.Context, tx pgx.Tx) error {
	const sql = `
		insert into dictionary (tenant_id, id, kind, hash, value)
		select $1, id, kind, hash, value::jsonb
		from unnest($2::int[], $3::smallint[], $4::uuid[], $5::text[]) as fresh (id, kind, hash, value)`
	var (
		ids    []int32
		kinds  []int16
		hashes []pgtype.UUID
		values []string
	)
	for _, e := range d.fresh {
		if e.id != 0 {
			continue
		}
		d.last++
		e.id = d.last
		ids, kinds = append(ids, e.id), append(kinds, int16(e.kind))
		hashes, values = append(hashes, pgtype.UUID{Bytes: e.hash, Valid: true}), append(values, string(e.value))
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, sql, d.tenant, ids, kinds, hashes, values)
	return err
}
