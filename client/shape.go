package client

import "encoding/json"

// items is a list on the wire.
type items[T any] struct {
	Items []T `json:"items"`
}

// members are the members of a request that no type of ours describes.
type members map[string]any

// text adds a member unless it is empty.
func (m members) text(name, value string) {
	if value != "" {
		m[name] = value
	}
}

func (m members) json() ([]byte, error) { return json.Marshal(map[string]any(m)) }

// store is a body that says no more than whose the call is.
func (c *Client) store() members {
	m := members{}
	m.text("storeId", c.storeID)
	return m
}
