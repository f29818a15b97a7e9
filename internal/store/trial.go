package store

// Option changes how a database is opened.
type Option func(*Store)

// AroundCommits has every group committed by the given function, which gets the
// commit and says what became of it. It may leave the commit out, or report a
// failure of one that was made: a process that ends before and after a commit.
// Tests of such ends use it, and nothing else.
func AroundCommits(around func(commit func() error) error) Option {
	return func(s *Store) { s.engine = aroundCommits{s.engine, around} }
}

// aroundCommits is an engine whose commits go through a function.
type aroundCommits struct {
	engine
	around func(commit func() error) error
}

func (e aroundCommits) begin(writer int) (writeTx, error) {
	tx, err := e.engine.begin(writer)
	return aroundCommit{tx, e.around}, err
}

type aroundCommit struct {
	writeTx
	around func(commit func() error) error
}

func (t aroundCommit) commit() error { return t.around(t.writeTx.commit) }
