// Kafkalab is a Kafka broker in one process, for tests: franz-go's kfake, which speaks the real protocol, with SASL
// and ACLs on. Nobody may do anything but its administrator until an ACL says so.
//
// It listens on loopback, keeps everything in memory, prints one JSON line when it is ready and ends when its
// standard input does, so that it never outlives the test that started it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	mechanism = "SCRAM-SHA-512"
	user      = "admin"
	password  = "word-of-the-administrator"
)

func main() {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(2),
		kfake.EnableSASL(),
		kfake.EnableACLs(),
		kfake.Superuser(mechanism, user, password),
		kfake.SeedTopics(1, "orders"),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer cluster.Close()
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"brokers":   cluster.ListenAddrs(),
		"mechanism": mechanism,
		"username":  user,
		"password":  password,
	})
	io.Copy(io.Discard, os.Stdin)
}
