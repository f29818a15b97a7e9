//go:build !linux

package store

import (
	"net"
	"time"
)

// dialer makes connections that notice when the other machine is gone.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3}}
}
